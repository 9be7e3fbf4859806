"""A process that is killed while it proves a key pair or requests a token blocks nobody long."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from app.settings import Settings
from tests.support.accounts import with_token
from tests.support.fixtures import Build
from tests.support.gunicorn_process import ServedGateway
from tests.support.patience import headers, patient, read
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.valkey import Valkey

pytestmark = pytest.mark.long

HEALED = 15.0  # seconds after the death of the process


def with_pair(_: Path, __: str) -> Mapping[str, Any]:
    return {}


def with_a_token(folder: Path, url: str) -> Mapping[str, Any]:
    """The changes to the default account that authenticate it by tokens."""
    settings = with_token(Settings.model_validate(patient(folder, url)), folder, url)
    account = settings.accounts["default"].model_dump(mode="json", exclude_unset=True)
    return {key: account[key] for key in ("authentication", "iam", "credentials")}


@pytest.mark.parametrize(
    ("authentication", "hangs"), [(with_pair, "result"), (with_a_token, "token")]
)
def test_the_other_replica_serves_soon_after_the_one_that_proved_the_credential_was_killed(
    build: Build,
    sandbox: SandboxDriver,
    valkey: Valkey,
    tmp_path: Path,
    authentication: Any,
    hangs: str,
) -> None:
    differences: dict[str, Any] = {
        "state": {"url": valkey.url},
        "timeouts": {"read": 30.0},
        **authentication(tmp_path, sandbox.url),
    }
    sandbox.fault(hangs, "hang")
    gateway = ServedGateway(tmp_path, patient(tmp_path, sandbox.url, **differences))
    with gateway, ThreadPoolExecutor(1) as threads:
        path = "/v1/customers/c-1/verification"
        lost = threads.submit(gateway.request, "GET", path, headers=headers())
        wait_until(lambda: sandbox.received(hangs))
        gateway.kill()
        killed = time.monotonic()
        assert isinstance(lost.exception(), requests.ConnectionError)
    sandbox.clear_faults()
    other = build(**differences)
    wait_until(lambda: read(other).status_code == 200, limit=60)
    assert time.monotonic() - killed < HEALED
