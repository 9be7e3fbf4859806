"""A repeat after a crash, and after the shared state lost its records."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.fixtures import Build
from tests.support.gunicorn_process import ServedGateway
from tests.support.patience import REPLAYED, headers, path_of, patient, read, said, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.valkey import Valkey
from tests.support.verifications import INDIVIDUAL, personal_values
from tests.verification.unknown_outcomes import (
    FOUND,
    SENT,
    lose,
    order,
)


def grown_old(valkey: Valkey, seconds: float) -> None:
    """Age every record by that many seconds."""
    valkey.pass_time(seconds)
    with valkey._client() as client:
        for name, value in valkey.values().items():
            if b'"begun"' in value:
                record = json.loads(value)
                record["begun"] -= seconds
                record["ends"] -= seconds
                client.set(name, json.dumps(record), keepttl=True)


def kill(gateway: ServedGateway) -> None:
    """Kill master and worker, like a power cut."""
    master = gateway.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    for pid in (master, *map(int, children)):
        os.kill(pid, signal.SIGKILL)
    assert gateway.wait() == -signal.SIGKILL


@pytest.mark.parametrize("processed", [True, False])
def test_a_repeat_after_a_crash_reads_the_result_first(
    build: Build, sandbox: SandboxDriver, valkey: Valkey, tmp_path: Path, processed: bool
) -> None:
    differences: dict[str, Any] = {"state": {"url": valkey.url}, "timeouts": {"read": 30.0}}
    sandbox.fault("verified-info", "hang", processed=processed, count=1)
    gateway = ServedGateway(tmp_path, patient(tmp_path, sandbox.url, **differences))
    with gateway, ThreadPoolExecutor(1) as threads:
        lost = threads.submit(
            gateway.request, "POST", path_of(), json=INDIVIDUAL, headers=headers(idempotency="k")
        )
        wait_until(lambda: sandbox.requests("verified-info"))
        kill(gateway)
        assert isinstance(lost.exception(), requests.ConnectionError)

    successor = build(**differences)
    early = submit(successor, idempotency="k")
    assert said(early)[1] == "IDEMPOTENCY_KEY_IN_FLIGHT"
    grown_old(valkey, 20)
    late = submit(successor, idempotency="k")
    assert said(late)[1] == "IDEMPOTENCY_KEY_IN_FLIGHT"
    # A write of 20 seconds is abandoned 5 seconds later: a few repeats suffice, not forty.
    assert int(early.headers["Retry-After"]) <= 2 < 4 <= int(late.headers["Retry-After"]) <= 5
    grown_old(valkey, 60)
    assert said(submit(successor, idempotency="k")) == (201, "VERIFIED", processed)
    expected = ["result", "verified-info", "result"] + ([] if processed else ["verified-info"])
    assert order(sandbox) == expected
    assert sandbox.processed("verified-info") == 1


@pytest.mark.parametrize("back", [False, True], ids=["lost", "back with nothing in it"])
def test_a_process_remembers_its_own_try_although_the_shared_state_was_lost(
    build: Build, sandbox: SandboxDriver, mortal: Valkey, back: bool
) -> None:
    app = build(state={"url": mortal.url})
    lose(app, sandbox)
    mortal.kill()
    if back:
        mortal.start()
    assert said(submit(app, idempotency="key-1")) == FOUND
    assert len(sandbox.submissions()) == 1


@pytest.mark.parametrize("back", [False, True], ids=["lost", "back with nothing in it"])
def test_a_repeat_is_sent_and_answered_by_huawei_where_the_record_was_lost(
    build: Build, sandbox: SandboxDriver, mortal: Valkey, back: bool
) -> None:
    lose(build(state={"url": mortal.url}), sandbox)
    mortal.kill()
    if back:
        mortal.start()
    assert said(submit(build(state={"url": mortal.url}), idempotency="key-1")) == SENT
    assert order(sandbox) == ["result", "verified-info", "result", "verified-info"]


def test_a_write_in_progress_when_the_shared_state_is_lost_is_not_sent_twice(
    build: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    app = build(state={"url": mortal.url}, timeouts={"read": 15.0})
    assert read(app).status_code == 200  # the first call proves the key
    sandbox.fault("verified-info", "latency", seconds=30, count=1)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(submit, app, idempotency="key-1")
        wait_until(lambda: sandbox.requests("verified-info"))
        mortal.kill()
        others = [submit(app, idempotency=key) for key in ("key-1", "key-2")]
        sandbox.clear_faults()
        assert said(first.result()) == (201, "VERIFIED", False)
    codes = ["IDEMPOTENCY_KEY_IN_FLIGHT", "CUSTOMER_WRITE_IN_PROGRESS"]
    assert [said(one)[1] for one in others] == codes
    assert submit(app, idempotency="key-1").headers[REPLAYED] == "true"
    assert len(sandbox.requests("verified-info")) == 1


def test_the_shared_state_holds_nothing_personal(
    build: Build, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    callers = {"writer": {"rate": "1000/hour"}}
    app = build(state={"url": valkey.url}, callers=callers, timeouts={"read": 15.0})
    markers = personal_values(INDIVIDUAL) | {"cust-lost", "cust-slow", "idempotency-key"}
    markers |= {sha256(marker.encode()).hexdigest() for marker in markers}
    dumps = []
    submit(app, "cust-done", "idempotency-key")
    sandbox.fault("verified-info", "reset", count=1)
    submit(app, "cust-lost", "idempotency-key")
    sandbox.fault("verified-info", "latency", seconds=30, count=1)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(submit, app, "cust-slow", "idempotency-key")
        wait_until(lambda: len(sandbox.requests("verified-info")) == 3)
        dumps.append(valkey.values())
        sandbox.clear_faults()
        slow.result()
    dumps.append(valkey.values())
    assert min(map(len, dumps)) > 4
    for dump in dumps:
        text = b"\n".join(part for entry in dump.items() for part in entry).decode("latin-1")
        assert [marker for marker in markers if marker in text] == []
