"""Both Helm versions refuse contradictory values before the installation."""

from __future__ import annotations

import pytest

from tests.chart.helm import Helm

ACCOUNT = "config.accounts.default"
REDIS = "config.state.url=rediss://redis:6379/0"
IAM = ",".join(f"{ACCOUNT}.iam.{key}=/x" for key in ("domain", "user", "password_file"))
SHARE = f"{ACCOUNT}.verification.review_share=5"
KEY = "config.state.key_file=/run/secrets/state/key"

MISTYPED = [
    ("replicaCont=2", "'replicaCont' not allowed"),
    ("image.tga=7", "'tga' not allowed"),
    ("replicaCount=many", "/replicaCount': got string, want integer"),
    ("logLevel=LOUD", "/logLevel': value must be one of 'DEBUG', 'INFO'"),
    ("networkPolicy.egress.reddis=x", "'reddis' not allowed"),
    ("image.digest=sha256:1", "/image/digest': 'sha256:1' does not match pattern"),
    (f"{ACCOUNT}.partnerId=x", "/config/accounts/default': additional properties 'partnerId'"),
    (f"{ACCOUNT}.verification.backend=v2", "must be one of 'legacy', 'review', 'auto'"),
    (f"{ACCOUNT}.quota.requests_per_second=0", "exclusiveMinimum: got 0, want 0"),
    (f"{ACCOUNT}.endpoint=bss-intl", "config.accounts.default.endpoint must be https with host"),
    ("config.callers.shop.scopes[0]=everything", "/config/callers/shop/scopes/0'"),
    ("config.callers.a b.rate=1/second", "'a b' not allowed"),
    ("config.stat.url=x", "/config': additional properties 'stat' not allowed"),
    ("config.accounts=", "/config/accounts': got string, want object"),
]
KEY_MATERIAL = [
    (f"{ACCOUNT}.access_key=AKIA", "/config/accounts/default': additional properties 'access_key'"),
    (f"{ACCOUNT}.credentials[0].secret_key=x", "additional properties 'secret_key' not allowed"),
    (f"{ACCOUNT}.credentials[0].secret_key_file=x", "secret_key_file': 'x' does not match"),
    (f"{ACCOUNT}.iam.password=x", "additional properties 'password' not allowed"),
    (f"{ACCOUNT}.proxy=http://me:word@proxy:3128", "default.proxy must be http or https without"),
    ("config.callers.shop.keys_sha256[0]=the-key", "/config/callers/shop/keys_sha256/0'"),
    ("config.state.key=x", "/config/state': additional properties 'key' not allowed"),
    ("secrets.default.secret_key=x", "additional properties 'secret_key' not allowed"),
    ("secrets.default.data.secret_key=x", "additional properties 'data' not allowed"),
]
MEANT_OTHERWISE = [
    ("secrets.default=null", "/secrets/default': got null, want object"),
    (f"{ACCOUNT}.attachments.access_key_file=/run/secrets/kyc/a", "missing properties"),
    (f"{ACCOUNT}.ca_file=/run/secrets/authority/ca", "but secrets.authority is not set"),
    ("secrets.default.externalSecret.data=null", "maxProperties: got 2, want 1"),
    ("config.accounts.other.partner_id=x", "missing property 'platform_id'"),
    ("config.accounts.Eu_1.partner_id=x", "'Eu_1' not allowed"),
    ("config.audit.file=/var/log/gateway/audit.jsonl", "mount a volume there with extraVolumes"),
    (
        "prometheusRule.runbookBaseUrl=docs",
        "/prometheusRule/runbookBaseUrl': 'docs' does not match",
    ),
    (f"{ACCOUNT}.iam.endpoint=https://iam.example,{IAM}", "iam has no effect with `signature`"),
    (f"{ACCOUNT}.verification.backend=legacy,{SHARE}", "review_share has no effect with `legacy`"),
    ("config.tracing.share=1", "properties 'endpoint' required, if 'share' exists"),
    ("sandbox.enabled=true", "leave config.accounts and secrets empty"),
]


@pytest.mark.parametrize(("setting", "said"), MISTYPED + KEY_MATERIAL + MEANT_OTHERWISE)
def test_an_invalid_value_is_refused_with_its_reason(
    each_helm: Helm, setting: str, said: str
) -> None:
    assert said in each_helm.refusal("minimal", setting)


def test_an_account_without_credentials_is_refused_with_the_missing_values(each_helm: Helm) -> None:
    said = each_helm.refusal(
        "minimal",
        "config.accounts.other.partner_id=x1",
        "config.accounts.other.platform_id=x2",
    )
    assert "secrets.other.existingSecret" in said


def test_an_installation_without_values_is_refused_with_the_required_values(
    each_helm: Helm,
) -> None:
    said = each_helm.refusal("sandbox", "sandbox.enabled=false")
    assert "set config.accounts.<name>.partner_id and platform_id" in said


@pytest.mark.parametrize("several", ["replicaCount=2", "autoscaling.enabled=true"])
def test_several_pods_without_shared_state_are_refused_unless_acknowledged(
    each_helm: Helm, several: str
) -> None:
    said = each_helm.refusal("minimal", several)
    assert "at '/acknowledgeUnsharedState': value must be true" in said
    said = each_helm.refusal("minimal", several, "config.state.url=memory://")
    assert "at '/acknowledgeUnsharedState': value must be true" in said
    assert each_helm.rendered("minimal", several, "acknowledgeUnsharedState=true")
    shared = (REDIS, KEY, "secrets.state.existingSecret=gateway-state")
    assert each_helm.rendered("minimal", several, *shared)


@pytest.mark.parametrize("several", ["replicaCount=2", "autoscaling.enabled=true"])
def test_several_sandboxes_are_refused_even_if_acknowledged(each_helm: Helm, several: str) -> None:
    said = each_helm.refusal("sandbox", several, "acknowledgeUnsharedState=true")
    assert "sandbox.enabled needs replicaCount 1" in said


def test_an_autoscaler_minimum_above_its_maximum_is_refused(each_helm: Helm) -> None:
    said = each_helm.refusal("production", "autoscaling.minReplicas=5")
    assert "autoscaling.minReplicas is 5, more than autoscaling.maxReplicas, which is 4" in said


def test_an_audit_file_outside_the_mounted_directory_is_refused(each_helm: Helm) -> None:
    said = each_helm.refusal("production", "config.audit.file=/var/log/gateway-2/audit.jsonl")
    assert "which is on the read-only root file system" in said


def test_a_redis_password_in_the_values_is_refused(each_helm: Helm) -> None:
    url = "config.state.url=rediss://:word@redis:6379/0"
    assert "URL with a password" in each_helm.refusal("minimal", url, KEY)


def test_an_unsupported_kubernetes_version_is_refused(each_helm: Helm) -> None:
    done = each_helm.run("template", "gw", "helm", "--kube-version", "1.24.0")
    assert done.returncode != 0
    assert "requires kubeVersion: >=1.25.0-0" in done.stderr
