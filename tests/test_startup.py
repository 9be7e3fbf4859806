"""What the gateway logs when it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from app import create_app
from app.version import VERSION
from tests.support.config_file import put


def test_the_gateway_logs_what_starts_and_each_note_on_its_configuration(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    put(config, "accounts.second.credentials.0.secret_key_file", "/not/there")
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("GATEWAY_CONFIG", str(path))
    caplog.set_level("INFO", "gateway.startup")
    create_app()
    first, *rest = [record for record in caplog.records if record.name == "gateway.startup"]
    assert (first.levelname, first.msg) == ("INFO", "The gateway starts")
    assert first.gateway_fields == {  # type: ignore[attr-defined]
        "version": VERSION,
        "accounts": ["default", "second"],
        "callers": sorted(config["callers"]),
        "state": "memory",
        "replicas": 1,
    }
    assert {(record.levelname, record.msg) for record in rest} == {
        ("WARNING", "A setting needs attention")
    }
    assert {record.gateway_fields["key"] for record in rest} == {  # type: ignore[attr-defined]
        "state.url",
        "callers.nobody.scopes",
        "accounts.second.credentials.0.secret_key_file",
    }


def test_a_missing_file_of_authorities_ends_the_start_with_2_and_names_its_key(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    config: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    put(config, "accounts.default.ca_file", "/not/there")
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("GATEWAY_CONFIG", str(path))
    with pytest.raises(SystemExit) as end:
        create_app()
    assert end.value.code == 2
    shown = "accounts.default.ca_file: /not/there: No such file or directory"
    assert capsys.readouterr().err.strip() == shown
