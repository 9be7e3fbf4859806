"""The configuration file and the environment: unreadable input, and the repr of settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from app import settings as configuration
from app.settings import ConfigurationError, Settings
from tests.support.config_file import SECRET, complaints, load, put
from tests.support.gateway import digest


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
def test_a_configuration_that_is_not_a_mapping_is_refused_in_one_line(
    tmp_path: Path, content: str
) -> None:
    assert complaints(tmp_path, content) == []


@pytest.mark.parametrize(
    "content", ["accounts: 2026-99-99", f"accounts: {'1' * 5000}", "accounts: 0x_", "[" * 1500]
)
def test_invalid_yaml_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    assert complaints(tmp_path, content) == []


def test_an_unreadable_configuration_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin1.yaml").write_bytes(b"accounts: \xff")
    for name in ("missing.yaml", "", "latin1.yaml"):
        with pytest.raises(ConfigurationError, match=str(tmp_path / name)):
            configuration.load(tmp_path / name)


def test_the_repr_of_settings_holds_no_digest(tmp_path: Path, config: dict[str, Any]) -> None:
    put(config, "state", {"url": f"rediss://:{SECRET}@redis:6380/0", "key_file": "/run/state"})
    settings = load(tmp_path, config)
    for printed in (settings, settings.state, settings.callers["writer"], settings.accounts):
        for text in (repr(printed), str(printed)):
            assert SECRET not in text
            assert digest("writer-key") not in text
            assert digest("writer-key")[:12] not in text


def test_settings_cannot_be_changed(settings: Settings) -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.accounts["default"].partner_id = "x"  # type: ignore[misc]


def test_the_check_command_reports_the_same_errors(
    app: Flask, tmp_path: Path, config: dict[str, Any]
) -> None:
    runner = app.test_cli_runner()
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    done = runner.invoke(args=["config", "check", str(path)])
    assert done.exit_code == 0
    assert {line.partition(": ")[0] for line in done.stderr.splitlines()} == {"note"}
    assert done.stdout.count("\n") == 1
    for named in ("default", "second", "writer"):
        assert named in done.stdout

    put(config, "accounts.default.credentials.0.secret_key_file", "/not/there/yet")
    path.write_text(yaml.safe_dump(config))
    done = runner.invoke(args=["config", "check", str(path)])
    assert done.exit_code == 0
    assert "/not/there/yet" in done.stderr

    put(config, "accounts.default.endpoint", SECRET)
    path.write_text(yaml.safe_dump(config))
    done = runner.invoke(args=["config", "check", str(path)])
    assert done.exit_code == 2
    assert "accounts.default.endpoint" in done.stderr
    assert SECRET not in done.output


@pytest.mark.parametrize("text", ["eighty", "", "-1", "65536", "8080 ", "\u0668", "1e3", "0x50"])
def test_a_port_is_a_number_up_to_65535(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(ConfigurationError, match="PORT must be a port number"):
        configuration.port("PORT", 8080)


@pytest.mark.parametrize("text", ["127.0.0.1 ", "", " ", "a b"])
def test_a_host_to_listen_on_holds_no_white_space(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("HOST", text)
    with pytest.raises(ConfigurationError, match="HOST must be an address"):
        configuration.host()


def test_unset_environment_variables_have_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configuration.addresses() == ["0.0.0.0:8080", "0.0.0.0:9090"]
    assert configuration.log_level() == "INFO"
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("HOST", "127.0.0.1")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    assert configuration.addresses() == ["127.0.0.1:1", "127.0.0.1:9090"]
    assert configuration.log_level() == "DEBUG"
    monkeypatch.setenv("METRICS_PORT", "1")
    with pytest.raises(ConfigurationError, match="METRICS_PORT must differ from PORT"):
        configuration.addresses()
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    with pytest.raises(ConfigurationError, match="LOG_LEVEL must be"):
        configuration.log_level()


def test_the_environment_must_name_the_configuration_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match="GATEWAY_CONFIG is not set"):
        configuration.load_from_environment()
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("GATEWAY_CONFIG", str(path))
    assert set(configuration.load_from_environment().accounts) == {"default", "second"}


def test_a_proxy_url_with_user_and_password_is_refused(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    put(config, "accounts.default.proxy", f"http://user:{SECRET}@proxy:3128")
    with pytest.raises(configuration.ConfigurationError) as refused:
        load(tmp_path, config)
    assert "accounts.default.proxy: must hold no user and password" in str(refused.value)
    assert SECRET not in str(refused.value)
