"""The notes of `config check`: valid settings that hardly do what was intended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme

from app import settings as configuration
from app.settings import ConfigurationError
from tests.support.config_file import BUCKET, SECRET, complaints, load, put
from tests.support.gateway import digest

ISSUER = {"issuer": "me", "audience": "you", "jwks_url": "https://me.example/keys"}
PLAIN = "redis://redis.example:6379/0"


def noted(folder: Path, config: dict[str, Any], **changes: Any) -> dict[str, str]:
    """The notes on the configuration after changes, by key."""
    (folder / "state-key").write_text("k" * 32)
    for path, value in changes.items():
        put(config, path, value)
    found = configuration.notes(load(folder, config))
    assert SECRET not in str(found)
    return {note.key: note.text for note in found}


@pytest.fixture
def quiet(config: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """A configuration without a note."""
    del config["callers"]["nobody"]
    key = str(tmp_path / "state-key")
    config["state"] = {"url": "rediss://redis.example:6380/0", "key_file": key}
    return config


def test_a_good_configuration_has_no_notes(tmp_path: Path, quiet: dict[str, Any]) -> None:
    assert noted(tmp_path, quiet) == {}


TOO_LONG = "/" + 300 * "a"  # the system refuses even to look for it

NOTES: list[tuple[dict[str, Any], str, str]] = [
    ({"state": {}}, "state.url", "loses the Idempotency-Keys and the events"),
    ({"state": {"replicas": 2}}, "state.url", "is not shared by 2 replicas"),
    ({"state.url": f"rediss://user:{SECRET}@redis.example"}, "state.url", "holds a password"),
    ({"callers.writer.scopes": []}, "callers.writer.scopes", "has no rights"),
    (
        {"callers.writer.scopes": ["customers:freeze-resources"]},
        "callers.writer.scopes",
        "has `customers:freeze-resources` without `customers:freeze`",
    ),
    ({"callers.writer.keys_sha256": [digest("")]}, "callers.writer.keys_sha256", "empty key"),
    ({"callers.writer.keys_sha256": [digest("\n")]}, "callers.writer.keys_sha256", "empty key"),
    ({"callers": {}}, "callers", "every request is UNAUTHENTICATED"),
    (
        {
            "accounts.default.attachments": BUCKET
            | {"endpoint": "https://obs.ap-southeast-3.myhuaweicloud.com"}
        },
        "accounts.default.attachments.region",
        "is ap-southeast-1, but `endpoint` is in ap-southeast-3",
    ),
    ({"kubernetes": ISSUER}, "kubernetes", "no caller has a `service_account`"),
    ({"oidc": ISSUER}, "oidc", "no caller has an `oidc_subject`"),
    (
        {"accounts.default.credentials.0.secret_key_file": "/not/there"},
        "accounts.default.credentials.0.secret_key_file",
        "/not/there does not exist",
    ),
    (
        {"accounts.default.credentials.0.secret_key_file": TOO_LONG},
        "accounts.default.credentials.0.secret_key_file",
        "does not exist",
    ),
    ({"audit": {"file": "/no/folder/audit.jsonl"}}, "audit.file", "/no/folder cannot be written"),
    (
        {"callers.writer.scopes": ["attachments:write"]},
        "callers.writer.scopes",
        "its accounts have no `attachments`",
    ),
    (
        {"callers.writer.scopes": ["budgets:read"], "callers.writer.max_budget": "10.00"},
        "callers.writer.max_budget",
        "the caller has no scope `budgets:write`",
    ),
    (
        {"kubernetes": ISSUER | {"token_file": "/no/token"}},
        "kubernetes.token_file",
        "/no/token does",
    ),
]


@pytest.mark.parametrize(("changes", "key", "words"), NOTES)
def test_a_doubtful_setting_is_noted_by_its_path(
    tmp_path: Path, quiet: dict[str, Any], changes: dict[str, Any], key: str, words: str
) -> None:
    assert words in noted(tmp_path, quiet, **changes)[key]


def test_plain_redis_to_another_machine_is_noted(tmp_path: Path, quiet: dict[str, Any]) -> None:
    changes = {"state.url": PLAIN, "state.insecure": True}
    assert "use `rediss://`" in noted(tmp_path, quiet, **changes)["state.url"]
    local = {"state.url": "redis://127.0.0.1:6379/0"}
    assert "state.url" not in noted(tmp_path, quiet, **local)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("accounts: {}\ncallers: {}\naccounts: {}\n", "`accounts` is set twice, in lines 1 and 3"),
        ("accounts:\n  one: {}\n  one: {}\n", "`one` is set twice, in lines 2 and 3"),
        (f"'{SECRET} =': 1\n'{SECRET} =': 2\n", "a key is set twice, in lines 1 and 2"),
    ],
)
def test_a_duplicate_key_is_refused_by_its_name_and_lines(
    tmp_path: Path, content: str, words: str
) -> None:
    assert complaints(tmp_path, content) == []
    with pytest.raises(ConfigurationError, match=words):
        load(tmp_path, content)


def test_certificate_authorities_that_cannot_be_used_are_named_by_their_keys(
    tmp_path: Path, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    good, empty = tmp_path / "good.pem", tmp_path / "empty.pem"
    trustme.CA().cert_pem.write_to_path(str(good))
    empty.write_text("no certificate")
    put(config, "accounts.default.ca_file", str(tmp_path / "missing.pem"))
    put(config, "accounts.second.ca_file", str(good))
    put(config, "oidc", ISSUER | {"ca_file": str(empty)})
    load(tmp_path, config)
    monkeypatch.setenv("GATEWAY_CONFIG", str(tmp_path / "config.yaml"))
    with pytest.raises(ConfigurationError) as refused:
        configuration.load_from_environment()
    assert str(refused.value).splitlines() == [
        f"accounts.default.ca_file: {tmp_path}/missing.pem: No such file or directory",
        f"oidc.ca_file: {empty}: holds no certificate",
    ]
