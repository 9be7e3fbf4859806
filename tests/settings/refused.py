"""Configurations that the gateway refuses: changes of a valid configuration."""

from __future__ import annotations

from typing import Any

from tests.settings.refused_webhooks import REFUSED_WEBHOOKS
from tests.support.config_file import BUCKET, SECRET
from tests.support.gateway import digest

OBS = "https://obs.ap-southeast-1.myhuaweicloud.com"

CLUSTER = {
    "issuer": "https://kubernetes.default.svc",
    "audience": "partner-gateway",
    "jwks_url": "https://kubernetes.default.svc/openid/v1/jwks",
}
BY_TOKEN = {"callers.writer.keys_sha256": [], "kubernetes": CLUSTER}
REDIS = {"url": "redis://redis:6379/0", "key_file": "/run/state", "insecure": True}

# The path of a setting, and its value; `...` removes the setting.
ONE_FAULT: list[tuple[str, Any]] = [
    ("accounts.default.endpoint", ...),
    ("accounts.default.endpoint", "http://bss-intl.myhuaweicloud.com"),
    ("accounts.default.endpoint", "http://10.0.0.1:8090"),
    ("accounts.default.endpoint", "http://localhost.example.com"),
    ("accounts.default.endpoint", "ftp://127.0.0.1"),
    ("accounts.default.endpoint", "bss-intl.myhuaweicloud.com"),
    ("accounts.default.endpoint", "https://"),
    ("accounts.default.endpoint", "https://bss.example/v2"),
    ("accounts.default.endpoint", "https://bss.example?x=1"),
    ("accounts.default.endpoint", "https://bss.example:99999"),
    ("accounts.default.endpoint", f"https://user:{SECRET}@bss.example"),
    ("accounts.default.partner_id", ...),
    ("accounts.default.partner_id", f"../{SECRET}"),
    ("accounts.default.partner_id", ""),
    ("accounts.default.partner_id", "x" * 65),
    ("accounts.default.partner_id", "x\n"),
    ("accounts.default.partner_id", 12345),
    ("accounts.default.platform_id", ...),
    ("accounts.default.platform_id", ""),
    ("accounts.default.platform_id", SECRET * 3),
    ("accounts.default.authentication", SECRET),
    ("accounts.default.credentials", ...),
    ("accounts.default.credentials", []),
    ("accounts.default.credentials", SECRET),
    ("accounts.default.credentials.0.access_key_file", "secrets/access_key"),
    ("accounts.default.credentials.0.secret_key_file", SECRET),
    ("accounts.default.credentials.0.secret_key_file", f"/run/x\n{SECRET}"),
    ("accounts.default.credentials.0.secret_key_file", None),
    ("accounts.default.credentials.0.secret_key", SECRET),
    ("accounts.default.secret_key", SECRET),
    ("accounts.default.verification.backend", SECRET),
    ("accounts.default.verification.legacy_numbers", SECRET),
    ("accounts.default.timeouts.read", 0),
    ("accounts.default.timeouts.read", 61),
    ("accounts.default.timeouts.connect", SECRET),
    ("accounts.default.timeouts.total", 3),
    ("accounts.default.ca_file", "ca.pem"),
    ("accounts.default.proxy", f"socks5://{SECRET}@proxy:1080"),
    ("callers.writer.keys_sha256", [SECRET]),
    ("callers.writer.keys_sha256", [digest("a").upper()]),
    ("callers.writer.keys_sha256", [digest("a"), digest("b"), digest("c")]),
    ("callers.writer.keys_sha256", SECRET),
    ("callers.writer.scopes", ["verifications:everything"]),
    ("callers.writer.scopes", [SECRET]),
    ("callers.writer.accounts", []),
    ("callers.writer.accounts", ["third"]),
    ("callers.writer.key", SECRET),
    ("callers.writer", SECRET),
    ("webhooks.hosts", "shop.internal"),
    ("webhooks.hosts", ["https://shop.internal"]),
    ("webhooks.hosts", ["shop.internal:8443"]),
    ("webhooks.hosts", ["*.internal"]),
    ("webhooks.hosts", ["Shop.internal"]),
    ("webhooks.hosts", ["shop.internal\n"]),
    ("webhooks.hosts", [""]),
    ("webhooks.in_flight", 0),
    ("webhooks.in_flight", 101),
    ("webhooks.timeout", 0),
    ("webhooks.timeout", 61),
    ("webhooks.url", SECRET),
    ("callers.writer.webhook", SECRET),
    ("accounts", ...),
    ("accounts", {}),
    ("callers", ...),
    ("accounts.default", SECRET),
    ("secrets", SECRET),
]

# A rule over several settings: changes by the path of a setting, and the setting to change.
OVER_SEVERAL: list[tuple[dict[str, Any], str]] = [
    ({"accounts.default.bills": {"bucket": BUCKET}}, "accounts.default.bills.bucket.endpoint"),
    ({"accounts.default.attachments": BUCKET}, "accounts.default.attachments.endpoint"),
    (
        {"accounts.default.authentication": "token", "accounts.default.credentials": ...},
        "accounts.default.iam",
    ),
    (
        {"state": {"url": f"redis://:{SECRET}@redis:6379/0", "insecure": True}},
        "state.key_file",
    ),
    ({"state": {"url": f"memcached://{SECRET}"}}, "state.url"),
    ({"state": {**REDIS, "insecure": False}}, "state.url"),
    ({"state": {**REDIS, "url": "redis://redis/0?socket_timeout=9"}}, "state.url"),
    ({"state": {**REDIS, "url": f"rediss://:{SECRET}/rest@redis:6380/0"}}, "state.url"),
    ({"state": {**REDIS, "url": "redis://redis:99999"}}, "state.url"),
    ({"state": {**REDIS, "url": "redis://redis/abc"}}, "state.url"),
    ({"state": {**REDIS, "url": "redis://redis/-1"}}, "state.url"),
    ({"state": {**REDIS, "url": "redis://redis/0/1"}}, "state.url"),
    ({"state": {**REDIS, "url": "redis:///0"}}, "state.url"),
    ({"state": {**REDIS, "url": "rediss://redis/0"}}, "state.insecure"),
    ({"state": {"insecure": True}}, "state.insecure"),
    ({"state": {**REDIS, "ca_file": "/run/ca.crt"}}, "state.ca_file"),
    (
        {"state": {**REDIS, "url": f"redis://:{SECRET}@redis", "password_file": "/run/word"}},
        "state.password_file",
    ),
    ({"callers.writer.customers": "shop-("}, "callers.writer.customers"),
    ({"callers.writer.keys_sha256": []}, "callers.writer.keys_sha256"),
    ({"callers.writer.keys_sha256": ...}, "callers.writer.keys_sha256"),
    ({"callers.writer.service_account": "billing/api"}, "callers.writer.service_account"),
    ({"callers.writer.oidc_subject": "billing"}, "callers.writer.oidc_subject"),
    (
        {
            **BY_TOKEN,
            "callers.writer.service_account": "billing/api",
            "callers.reader.service_account": "billing/api",
        },
        "callers.writer.service_account",
    ),
    ({"kubernetes": {**CLUSTER, "jwks_file": "/run/keys.json"}}, "kubernetes.jwks_file"),
    ({"kubernetes": {"issuer": "cluster", "audience": "gateway"}}, "kubernetes.jwks_file"),
    ({"oidc": {"issuer": "login", "audience": "gateway"}}, "oidc.jwks_file"),
    ({"kubernetes": {**CLUSTER, "jwks_url": "http://keys.example/x"}}, "kubernetes.jwks_url"),
    (
        {"kubernetes": {**CLUSTER, "jwks_url": "http://127.0.0.1:1/x", "ca_file": "/run/ca.crt"}},
        "kubernetes.ca_file",
    ),
    ({"oidc": {**CLUSTER, "jwks_url": f"https://me:{SECRET}@x.example/x"}}, "oidc.jwks_url"),
    ({"kubernetes": CLUSTER, "oidc": CLUSTER}, "oidc.issuer"),
    ({"tracing": {"endpoint": "http://collector:4318"}}, "tracing.endpoint"),
    ({"tracing": {"endpoint": "https://collector/v1/traces"}}, "tracing.endpoint"),
    ({"tracing": {"ca_file": "/run/ca.crt"}}, "tracing.ca_file"),
    (
        {"tracing": {"endpoint": "https://c", "insecure": True}},
        "tracing.insecure",
    ),
    (
        {"tracing": {"endpoint": "http://c", "insecure": True, "ca_file": "/run/ca.crt"}},
        "tracing.ca_file",
    ),
]

# Changes of a bucket, and its setting to change.
UNADDRESSABLE: list[tuple[dict[str, Any], str]] = [
    ({"endpoint": "https://kyc.obs.ap-southeast-1.myhuaweicloud.com"}, "endpoint"),
    ({"endpoint": "https://KYC.obs.ap-southeast-1.myhuaweicloud.com"}, "endpoint"),
    ({"endpoint": "https://kyc.obs.example.com", "addressing": "path"}, "endpoint"),
    ({"endpoint": "https://192.0.2.1"}, "addressing"),
    ({"endpoint": "https://[2001:db8::1]:8443"}, "addressing"),
    ({"endpoint": "http://127.0.0.1:8090", "addressing": "virtual-host"}, "addressing"),
    ({"endpoint": "https://127.1"}, "addressing"),
    ({"bucket": "kyc.company"}, "addressing"),
    ({"addressing": "virtual_host"}, "addressing"),
    ({"bucket": "ky"}, "bucket"),
    ({"bucket": "k" * 64}, "bucket"),
    ({"bucket": "Kyc"}, "bucket"),
    ({"bucket": "kyc_company"}, "bucket"),
    ({"bucket": "-kyc"}, "bucket"),
    ({"bucket": "kyc-"}, "bucket"),
    ({"bucket": "kyc."}, "bucket"),
    ({"bucket": "my..bucket"}, "bucket"),
    ({"bucket": "my-.bucket"}, "bucket"),
    ({"bucket": "my.-bucket"}, "bucket"),
    ({"bucket": "kyc/"}, "bucket"),
    ({"bucket": "kyc@evil"}, "bucket"),
    ({"bucket": "kyc\n"}, "bucket"),
]

BAD_PROXIES = [f"http://user:{SECRET}\u2100@proxy:3128", f"http://[{SECRET}]:3128"]

# Changes by the path of a setting, and the settings that would have no effect.
IAM = {"endpoint": "https://iam.example", "domain": "d", "user": "u", "password_file": "/run/p"}
ISSUER = {"issuer": "me", "audience": "you", "jwks_file": "/run/jwks"}
WITHOUT_EFFECT: list[tuple[dict[str, Any], list[str]]] = [
    ({"accounts.default.iam": IAM}, ["accounts.default.iam"]),
    (
        {"accounts.default.iam": IAM, "accounts.default.authentication": "token"},
        ["accounts.default.credentials"],
    ),
    (
        {"accounts.default.verification": {"backend": "legacy", "review_share": 20}},
        ["accounts.default.verification.review_share"],
    ),
    (
        {"accounts.default.verification": {"backend": "review", "review_share": 100}},
        ["accounts.default.verification.review_share"],
    ),
    (
        {"accounts.default.verification": {"backend": "review", "legacy_numbers": "string"}},
        ["accounts.default.verification.legacy_numbers"],
    ),
    ({"accounts.default.bills": {"encoding": "gb18030"}}, ["accounts.default.bills"]),
    ({"state": {"password_file": "/run/p"}}, ["state.password_file"]),
    ({"state": {"ca_file": "/run/ca"}}, ["state.ca_file"]),
    ({"tracing": {"share": 0.5}}, ["tracing.share"]),
    (
        {"tracing": {"insecure": True, "ca_file": "/run/ca"}},
        ["tracing.ca_file", "tracing.insecure"],
    ),
    ({"kubernetes": ISSUER | {"ca_file": "/run/ca"}}, ["kubernetes.ca_file"]),
    (
        {"oidc": ISSUER | {"ca_file": "/run/ca", "token_file": "/run/t"}},
        ["oidc.ca_file", "oidc.token_file"],
    ),
    *(
        ({"accounts.default.endpoint": f"https://{host}"}, ["accounts.default.endpoint"])
        for host in ("bss.example ", " bss.example", "bss\t.example", "bss.example\u00a0")
    ),
    ({"tracing": {"endpoint": "https://collector "}}, ["tracing.endpoint"]),
    (
        {"oidc": {"issuer": "me", "audience": "you", "jwks_url": "https://me.example "}},
        ["oidc.jwks_url"],
    ),
    ({"accounts.default.proxy": "http://proxy :3128"}, ["accounts.default.proxy"]),
]

TWO_WITH_ONE_KEY = {
    "callers.reader.keys_sha256": [digest("writer-key")],
    "callers.writer.keys_sha256": [digest("writer-key")],
}


def changes() -> dict[str, dict[str, Any]]:
    """Every refused configuration: its text -> the path of each changed setting -> its value."""
    found: list[dict[str, Any]] = [{path: value} for path, value in ONE_FAULT]
    found += [several for several, _ in (*OVER_SEVERAL, *REFUSED_WEBHOOKS, *WITHOUT_EFFECT)]
    found += [
        {"accounts.default.attachments": BUCKET | {"endpoint": OBS} | change}
        for change, _ in UNADDRESSABLE
    ]
    found += [{"accounts.default.proxy": url} for url in BAD_PROXIES]
    return {_text(one): one for one in [*found, TWO_WITH_ONE_KEY]}


def _text(change: dict[str, Any]) -> str:
    parts = (f"{path} {'removed' if value is ... else value}" for path, value in change.items())
    return ", ".join(parts)
