"""Settings that would have no effect beside another setting: each is refused by its path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.config_file import complaints, put

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
    ({"oidc": {**ISSUER, "jwks_file": ..., "jwks_url": "https://me.example "}}, ["oidc.jwks_url"]),
    ({"accounts.default.proxy": "http://proxy :3128"}, ["accounts.default.proxy"]),
]


@pytest.mark.parametrize(("changes", "named"), WITHOUT_EFFECT)
def test_a_setting_that_would_have_no_effect_is_refused_by_its_path(
    tmp_path: Path, config: dict[str, Any], changes: dict[str, Any], named: list[str]
) -> None:
    for path, value in changes.items():
        known = (
            {key: one for key, one in value.items() if one is not ...}
            if isinstance(value, dict)
            else value
        )
        put(config, path, known)
    assert [line.partition(": ")[0] for line in complaints(tmp_path, config)] == named
