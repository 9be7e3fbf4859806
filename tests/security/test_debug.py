"""No debug mode can be reached, however the process is started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from app import create_app
from app.api.authentication import open_to_all
from app.errors import ErrorCode
from app.settings import Settings
from demo.local import free_port
from demo.processes import end, start, wait_until_served
from tests.support.gateway import check_problem
from tests.support.gunicorn_process import LIMIT, ServedGateway

DEBUG = {"FLASK_DEBUG": "1", "FLASK_ENV": "development", "WERKZEUG_DEBUG_PIN": "off"}
DEBUGGER = ["/console", "/v1/nothing?__debugger__=yes&cmd=resource&f=debugger.js"]


def test_a_crash_shows_nothing_although_the_environment_enables_debugging(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in DEBUG.items():
        monkeypatch.setenv(name, value)
    app = create_app(settings)

    @open_to_all
    def divide() -> Any:
        raise ZeroDivisionError("ZHANG SAN")

    app.add_url_rule("/crash", view_func=divide)
    response = app.test_client().get("/crash")
    check_problem(response, ErrorCode.INTERNAL_ERROR)
    assert "ZHANG SAN" not in response.get_data(as_text=True)


def test_there_is_no_debugger_under_gunicorn(tmp_path: Path, config: dict[str, Any]) -> None:
    with ServedGateway(tmp_path, config, environment=DEBUG) as gateway:
        for path in DEBUGGER:
            assert gateway.request("GET", path).status_code == 404
        assert (
            b"\n  " not in gateway.request("GET", "/livez").content
        )  # Flask indents JSON in debug mode


@pytest.fixture
def run_by_flask(tmp_path: Path, config: dict[str, Any]) -> Iterator[str]:
    """The gateway under Flask's development server, which production must not use."""
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = start(
        [sys.executable, "-m", "flask", "--app", "app", "run", "--port", str(port)],
        subprocess.DEVNULL,
        {"GATEWAY_CONFIG": str(tmp_path / "config.yaml")},
    )
    try:
        wait_until_served(f"{url}/livez", process)
        yield url
    finally:
        end(process)


def test_the_development_server_of_flask_has_no_debugger(run_by_flask: str) -> None:
    for path in DEBUGGER:
        assert requests.get(f"{run_by_flask}{path}", timeout=LIMIT).status_code == 404
