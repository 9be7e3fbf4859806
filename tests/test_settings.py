"""The configuration file: every wrong key is named at once, and no value is ever repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from app import settings as configuration
from app.settings import ConfigurationError, Settings
from tests.gateway import configuration as working
from tests.gateway import digest

SECRET = "s3cr3t-that-is-never-shown"
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
    iam: {endpoint: https://iam.myhuaweicloud.com, domain: partner, user: partner,
          password_file: /run/secrets/partner/password}
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
""".replace("ONE", digest("one")).replace("TWO", digest("two"))


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    """A configuration that can be used, to be broken."""
    return working(tmp_path, "https://bss-intl.myhuaweicloud.com")


def load(folder: Path, content: Any) -> Settings:
    path = folder / "config.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return configuration.load(path)


def complaints(folder: Path, content: Any) -> list[str]:
    """The lines of the one message below its first."""
    with pytest.raises(ConfigurationError) as failure:
        load(folder, content)
    message = str(failure.value)
    assert message.startswith(str(folder / "config.yaml"))
    assert SECRET not in message
    return [line.strip() for line in message.splitlines()[1:]]


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path; take it away if it is `...`."""
    *parents, last = path.split(".")
    place: Any = document
    for name in parents:
        place = place[int(name)] if name.isdigit() else place.setdefault(name, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value


def test_the_documented_example_is_taken(tmp_path: Path) -> None:
    settings = load(tmp_path, EXAMPLE)
    account = settings.accounts["default"]
    assert len(account.credentials) == 2
    assert account.verification.review_share == 100
    assert account.attachments is not None
    assert account.attachments.bucket == "kyc"
    assert settings.callers["billing"].scopes == {"verifications:read", "verifications:write"}


def test_all_but_a_few_keys_have_defaults(tmp_path: Path, document: dict[str, Any]) -> None:
    account = document["accounts"]["default"]
    for optional in set(account) - {"endpoint", "partner_id", "platform_id", "credentials"}:
        del account[optional]
    settings = load(tmp_path, {"accounts": {"default": account}, "callers": {}})
    defaults = settings.accounts["default"]
    assert defaults.authentication == "signature"
    assert (defaults.verification.backend, defaults.verification.review_share) == ("auto", 100)
    assert defaults.verification.legacy_numbers == "integer"
    assert (defaults.timeouts.connect, defaults.timeouts.read) == (3.0, 15.0)
    assert (defaults.ca_file, defaults.proxy, defaults.attachments) == (None, None, None)


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
    ("accounts", ...),
    ("accounts", {}),
    ("callers", ...),
    ("accounts.default", SECRET),
    ("secrets", SECRET),
]


@pytest.mark.parametrize(("path", "value"), ONE_FAULT)
def test_a_wrong_key_is_named_by_its_path(
    tmp_path: Path, document: dict[str, Any], path: str, value: Any
) -> None:
    put(document, path, value)
    lines = complaints(tmp_path, document)
    named = [line.partition(": ")[0].removesuffix(".0") for line in lines]
    assert path in named
    if path != "accounts":  # then the callers' accounts are unknown too
        assert all(path.startswith(name) for name in named)


def test_all_wrong_keys_are_named_in_one_message(tmp_path: Path, document: dict[str, Any]) -> None:
    wrong = {
        "accounts.default.endpoint": "http://elsewhere.example",
        "accounts.default.partner_id": ...,
        "accounts.second.credentials.0.secret_key_file": SECRET,
        "accounts.second.colour": "red",
        "callers.writer.scopes": ["all"],
        "callers.reader.keys_sha256": ["abc"],
    }
    for path, value in wrong.items():
        put(document, path, value)
    named = {line.partition(": ")[0].removesuffix(".0") for line in complaints(tmp_path, document)}
    assert named >= set(wrong)


def test_a_key_of_two_callers_is_no_key(tmp_path: Path, document: dict[str, Any]) -> None:
    put(document, "callers.reader.keys_sha256", document["callers"]["writer"]["keys_sha256"])
    (line,) = complaints(tmp_path, document)
    assert "keys_sha256" in line
    assert "reader" in line
    assert "writer" in line
    assert digest("writer-key") not in line


BUCKET = {
    "endpoint": "https://kyc.obs.ap-southeast-1.myhuaweicloud.com",
    "bucket": "kyc",
    "region": "ap-southeast-1",
    "access_key_file": "/run/x",
    "secret_key_file": "/run/y",
}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"accounts.default.attachments": BUCKET}, "accounts.default.attachments.endpoint"),
        ({"accounts.default.authentication": "token"}, "accounts.default.iam"),
        ({"state": {"url": f"redis://:{SECRET}@redis:6379/0"}}, "state.key_file"),
        ({"state": {"url": f"memcached://{SECRET}"}}, "state.url"),
    ],
)
def test_a_rule_over_several_keys_names_the_one_to_change(
    tmp_path: Path, document: dict[str, Any], changes: dict[str, Any], named: str
) -> None:
    for path, value in changes.items():
        put(document, path, value)
    (line,) = complaints(tmp_path, document)
    assert line.startswith(f"{named}: ")


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:8090", "http://[::1]:1", "http://localhost"]
)
def test_http_is_for_loopback(tmp_path: Path, document: dict[str, Any], endpoint: str) -> None:
    put(document, "accounts.default.endpoint", f"{endpoint}/")
    assert load(tmp_path, document).accounts["default"].endpoint == endpoint


@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[]",
        SECRET,
        f"accounts: {{{SECRET}",
        f"accounts: '{SECRET}",
        f"{SECRET}: [",
        f"\t{SECRET}: x",
        f"accounts: &a {SECRET}\ncallers: *b",
        f"accounts: !!python/object/apply:os.system ['{SECRET}']",
        f"? [{SECRET}]\n: x",
        f"accounts: {{a: 1, a: {SECRET}}}",
        f"accounts: {{}}\ncallers: {{}}\naccounts: {SECRET}",
        f"accounts: {{}}\n--- {SECRET}",
        f"\x00{SECRET}",
    ],
)
def test_what_is_no_proper_mapping_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    assert complaints(tmp_path, content) == []


@pytest.mark.parametrize(
    "content", ["accounts: 2026-99-99", f"accounts: {'1' * 5000}", "accounts: 0x_", "[" * 1500]
)
def test_what_yaml_itself_chokes_on_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    assert complaints(tmp_path, content) == []


@pytest.mark.parametrize(
    "proxy", [f"http://user:{SECRET}\u2100@proxy:3128", f"http://[{SECRET}]:3128"]
)
def test_a_proxy_that_is_no_url_is_not_repeated(
    tmp_path: Path, document: dict[str, Any], proxy: str
) -> None:
    put(document, "accounts.default.proxy", proxy)
    (line,) = complaints(tmp_path, document)
    assert line.startswith("accounts.default.proxy: ")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin1.yaml").write_bytes(b"accounts: \xff")
    for name in ("missing.yaml", "", "latin1.yaml"):
        with pytest.raises(ConfigurationError, match=str(tmp_path / name)):
            configuration.load(tmp_path / name)


def test_what_is_printed_of_settings_holds_no_digest(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    put(document, "accounts.default.proxy", f"http://user:{SECRET}@proxy:3128")
    settings = load(tmp_path, document)
    for printed in (settings, settings.callers["writer"], settings.accounts):
        for text in (repr(printed), str(printed)):
            assert SECRET not in text
            assert digest("writer-key") not in text
            assert digest("writer-key")[:12] not in text


def test_settings_cannot_be_changed(settings: Settings) -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.accounts["default"].partner_id = "x"  # type: ignore[misc]


def test_the_check_command_says_the_same(
    app: Flask, tmp_path: Path, document: dict[str, Any]
) -> None:
    runner = app.test_cli_runner()
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(document))
    done = runner.invoke(args=["config", "check", str(path)])
    assert done.exit_code == 0
    # Notes are about what is there and has no effect.
    assert all(line.startswith("note: ") for line in done.stderr.splitlines())
    assert done.stdout.count("\n") == 1
    for named in ("default", "second", "writer"):
        assert named in done.stdout

    put(document, "accounts.default.credentials.0.secret_key_file", "/not/there/yet")
    path.write_text(yaml.safe_dump(document))
    done = runner.invoke(args=["config", "check", str(path)])
    assert done.exit_code == 0
    assert "/not/there/yet" in done.stderr

    put(document, "accounts.default.endpoint", SECRET)
    path.write_text(yaml.safe_dump(document))
    done = runner.invoke(args=["config", "check", str(path)])
    assert done.exit_code == 2
    assert "accounts.default.endpoint" in done.stderr
    assert SECRET not in done.output


@pytest.mark.parametrize("text", ["eighty", "", "-1", "65536", "8080 ", "\u0668", "1e3", "0x50"])
def test_a_port_is_a_number_up_to_65535(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(ConfigurationError, match="PORT must be a port number"):
        configuration.port("PORT", 8080)


def test_what_the_environment_does_not_say_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (configuration.port("PORT", 8080), configuration.host()) == (8080, "0.0.0.0")  # noqa: S104
    assert configuration.log_level() == "INFO"
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("HOST", "127.0.0.1")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    assert (configuration.port("PORT", 8080), configuration.host()) == (1, "127.0.0.1")
    assert configuration.log_level() == "DEBUG"
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    with pytest.raises(ConfigurationError, match="LOG_LEVEL must be"):
        configuration.log_level()


def test_the_environment_has_to_name_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, document: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match="GATEWAY_CONFIG is not set"):
        configuration.load_from_environment()
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("GATEWAY_CONFIG", str(path))
    assert set(configuration.load_from_environment().accounts) == {"default", "second"}
