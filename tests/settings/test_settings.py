"""The rules of the configuration: all wrong settings are named at once, no value is repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.settings.refused import BAD_PROXIES, ONE_FAULT, OVER_SEVERAL
from tests.support.config_file import SECRET, complaints, load, put
from tests.support.gateway import digest

EXAMPLE = """
accounts:
  default:
    endpoint: https://bss-intl.myhuaweicloud.com
    partner_id: 0a1b2c3d4e5f60718293a4b5c6d7e8f9
    platform_id: PARTNER01
    authentication: signature
    credentials:
      - {access_key_file: /run/secrets/partner/access_key,
         secret_key_file: /run/secrets/partner/secret_key}
      - {access_key_file: /run/secrets/partner/next_access_key,
         secret_key_file: /run/secrets/partner/next_secret_key}
    verification: {backend: auto, review_share: 100}
    attachments: {endpoint: https://obs.ap-southeast-1.myhuaweicloud.com, bucket: kyc,
                  region: ap-southeast-1, access_key_file: /run/secrets/obs/access_key,
                  secret_key_file: /run/secrets/obs/secret_key}
    quota: {requests_per_second: 10}
callers:
  billing: {keys_sha256: [ONE, TWO], service_account: "billing/api",
            scopes: [verifications:read, verifications:write], accounts: [default],
            rate: 5/second}
state: {url: "memory://"}
kubernetes: {issuer: "https://kubernetes.default.svc", audience: partner-gateway,
             jwks_url: "https://kubernetes.default.svc/openid/v1/jwks"}
""".replace("ONE", digest("one")).replace("TWO", digest("two"))


def test_the_documented_example_configuration_is_accepted(tmp_path: Path) -> None:
    settings = load(tmp_path, EXAMPLE)
    account = settings.accounts["default"]
    assert len(account.credentials) == 2
    assert account.verification.review_share == 100
    assert account.attachments is not None
    assert account.attachments.bucket == "kyc"
    assert settings.callers["billing"].scopes == {"verifications:read", "verifications:write"}


def test_all_settings_but_a_few_have_defaults(tmp_path: Path, config: dict[str, Any]) -> None:
    account = config["accounts"]["default"]
    for optional in set(account) - {"endpoint", "partner_id", "platform_id", "credentials"}:
        del account[optional]
    settings = load(tmp_path, {"accounts": {"default": account}, "callers": {}})
    defaults = settings.accounts["default"]
    assert defaults.authentication == "signature"
    assert (defaults.verification.backend, defaults.verification.review_share) == ("auto", 100)
    assert defaults.verification.legacy_numbers == "integer"
    assert (defaults.timeouts.connect, defaults.timeouts.read) == (3.0, 15.0)
    assert (defaults.ca_file, defaults.proxy, defaults.attachments) == (None, None, None)
    assert settings.server.keepalive > 60  # seconds, the idle timeout of load balancers


@pytest.mark.parametrize(("path", "value"), ONE_FAULT)
def test_a_wrong_setting_is_named_by_its_path(
    tmp_path: Path, config: dict[str, Any], path: str, value: Any
) -> None:
    put(config, path, value)
    lines = complaints(tmp_path, config)
    named = [line.partition(": ")[0].removesuffix(".0") for line in lines]
    assert path in named
    if path != "accounts":  # without accounts the callers' accounts are unknown too
        assert all(path.startswith(name) for name in named)


def test_all_wrong_settings_are_named_in_one_message(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    wrong = {
        "accounts.default.endpoint": "http://elsewhere.example",
        "accounts.default.partner_id": ...,
        "accounts.second.credentials.0.secret_key_file": SECRET,
        "accounts.second.colour": "red",
        "callers.writer.scopes": ["all"],
        "callers.reader.keys_sha256": ["abc"],
    }
    for path, value in wrong.items():
        put(config, path, value)
    named = {line.partition(": ")[0].removesuffix(".0") for line in complaints(tmp_path, config)}
    assert named >= set(wrong)


def test_one_key_for_two_callers_is_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    put(config, "callers.reader.keys_sha256", config["callers"]["writer"]["keys_sha256"])
    (line,) = complaints(tmp_path, config)
    assert "keys_sha256" in line
    assert "reader" in line
    assert "writer" in line
    assert digest("writer-key") not in line


@pytest.mark.parametrize(("changes", "named"), OVER_SEVERAL)
def test_a_rule_over_several_settings_names_the_one_to_change(
    tmp_path: Path, config: dict[str, Any], changes: dict[str, Any], named: str
) -> None:
    for path, value in changes.items():
        put(config, path, value)
    (line,) = complaints(tmp_path, config)
    assert line.startswith(f"{named}: ")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:8090",
        "http://[::1]:1",
        "http://localhost",
        "http://obs.localhost:8090",
    ],
)
def test_plain_http_is_allowed_for_loopback_only(
    tmp_path: Path, config: dict[str, Any], endpoint: str
) -> None:
    put(config, "accounts.default.endpoint", f"{endpoint}/")
    assert load(tmp_path, config).accounts["default"].endpoint == endpoint


@pytest.mark.parametrize("proxy", BAD_PROXIES)
def test_a_malformed_proxy_url_is_not_repeated(
    tmp_path: Path, config: dict[str, Any], proxy: str
) -> None:
    put(config, "accounts.default.proxy", proxy)
    (line,) = complaints(tmp_path, config)
    assert line.startswith("accounts.default.proxy: ")
