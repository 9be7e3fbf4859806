"""GET /readyz: the gateway is ready once any account can sign."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from tests.support.accounts import (
    Mounted,
    gateway,
    replace,
    with_pairs,
    with_token,
)
from tests.support.gateway import (
    bearer,
    code,
    submit,
)
from tests.support.metrics import seen
from tests.support.sandbox_driver import SandboxDriver


def ready(client: FlaskClient) -> tuple[int, str | None]:
    response = client.get("/readyz")
    assert "application/" in response.headers["Content-Type"]
    return response.status_code, code(response)


@pytest.mark.parametrize("mode", ["signature", "token"])
def test_readiness_is_reached_once_the_key_files_exist_and_kept_afterwards(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path, mounted: Mounted, mode: str
) -> None:
    by_token = mode == "token"
    chosen = (
        with_token(settings, tmp_path, sandbox.url) if by_token else with_pairs(settings, mounted)
    )
    (tmp_path / "second-sk").unlink()
    files = [tmp_path / "password"] if by_token else list(mounted.settings.values())
    texts = {path: path.read_text() for path in files}
    for path in files:
        path.unlink()
    client = gateway(chosen)
    response = client.get("/readyz")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert ready(client) == (503, "UPSTREAM_ACCESS_DENIED")
    assert client.get("/livez").status_code == 200
    assert code(submit(client)) == "UPSTREAM_ACCESS_DENIED"

    for path, text in texts.items():
        assert ready(client)[0] == 503
        replace(path, text)
    assert ready(client) == (200, None)
    assert sandbox.requests() == []
    assert submit(client).status_code == 201

    for path in files:
        path.unlink()
    assert ready(client) == (200, None)
    assert submit(client).status_code == 201


def test_one_account_without_files_leaves_the_gateway_ready_and_is_shown(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    settings = with_token(settings, tmp_path, sandbox.url)
    (tmp_path / "password").unlink()
    app = create_app(settings)
    client = app.test_client()
    assert ready(client) == (200, None)
    assert seen(app, "gateway_credentials_usable", account="default") == 0
    assert seen(app, "gateway_credentials_usable", account="second") == 1
    shown = client.get("/v1/accounts", headers=bearer("operator-key")).get_json()["accounts"]
    assert [one["token"]["condition"] for one in shown if "token" in one] == ["MISSING"]

    (tmp_path / "second-sk").unlink()
    assert ready(gateway(settings)) == (503, "UPSTREAM_ACCESS_DENIED")
