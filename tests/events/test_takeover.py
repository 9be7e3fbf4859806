"""Two processes on one Redis: when the one that watches is killed, the other tells the end."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.events.book import SHORTEST
from tests.support.gunicorn_process import ServedGateway
from tests.support.patience import headers, path_of, patient
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.valkey import Valkey
from tests.support.verifications import INDIVIDUAL

pytestmark = pytest.mark.long

TAKEN_OVER = 15.0  # seconds after the death of the holder
CUSTOMER = "review-hold-1"


def watches(gateway: ServedGateway) -> bool:
    """Whether the process has looked at a review."""
    text = gateway.operate("/metrics").text
    name = 'gateway_watch_calls_total{account="default",operation="read_result"}'
    return any(line.startswith(name) and not line.endswith(" 0.0") for line in text.splitlines())


def told(gateway: ServedGateway) -> list[tuple[str, str]]:
    events = gateway.request("GET", "/v1/events", headers=headers()).json()["items"]
    return [(event["customer_id"], event["status"]) for event in events]


def test_the_end_is_told_by_the_other_process_after_the_watching_one_was_killed(
    tmp_path: Path, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    differences: dict[str, Any] = {
        "state": {"url": valkey.url},
        "verification": {"backend": "review"},
        "callers": {"writer": {"scopes": ["verifications:write", "events:read"]}},
    }
    gateways = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        gateways.append(ServedGateway(folder, patient(folder, sandbox.url, **differences)))
    with ExitStack() as stack:
        for gateway in gateways:
            stack.enter_context(gateway)
        answer = gateways[0].request("POST", path_of(CUSTOMER), json=INDIVIDUAL, headers=headers())
        assert answer.status_code == 202
        wait_until(lambda: any(map(watches, gateways)))
        (holder,) = filter(watches, gateways)
        (other,) = (gateway for gateway in gateways if gateway is not holder)
        holder.kill()
        killed = time.monotonic()
        sandbox.review(CUSTOMER, "passed")
        wait_until(lambda: told(other), limit=60)
        assert time.monotonic() - killed < TAKEN_OVER + SHORTEST
        assert told(other) == [(CUSTOMER, "VERIFIED")]
        assert other.end() == 0
