"""A repeat after an unknown outcome looks first, whatever else failed meanwhile."""

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
from flask import Flask

from tests.gunicorn_process import ServedGateway
from tests.reliability.conftest import Build
from tests.reliability.gateways import REPLAYED, headers, path_of, patient, read, said, submit
from tests.sandbox_driver import SandboxDriver
from tests.state.timing import wait_until
from tests.state.valkey import Valkey
from tests.verification.gateways import INDIVIDUAL, personal_values

UNKNOWN = (504, "OUTCOME_UNKNOWN", False)
FOUND = (201, "VERIFIED", True)
HIDDEN: dict[str, Any] = {
    "kind": "status",
    "status": 200,
    "body": "{}",
}  # a result that does not show it


def order(sandbox: SandboxDriver) -> list[str]:
    """The calls so far; a look after a lost write is one, however often it was tried."""
    names = [one["operation"] for one in sandbox.requests()]
    return [name for place, name in enumerate(names) if names[place - 1 : place] != [name]]


@pytest.fixture(params=["memory", "redis"])
def state(request: pytest.FixtureRequest, valkey: Valkey) -> dict[str, Any] | None:
    return {"url": valkey.url} if request.param == "redis" else None


def test_a_repeat_looks_first_and_finds_what_was_lost(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state)
    sandbox.fault("verified-info", "reset", count=1)
    assert said(submit(app, idempotency="key-1")) == UNKNOWN
    found = submit(app, idempotency="key-1")
    assert said(found) == FOUND
    assert REPLAYED not in found.headers
    assert order(sandbox) == ["verified-info", "result"]
    again = submit(app, idempotency="key-1")
    assert (said(again), again.headers[REPLAYED]) == (FOUND, "true")
    assert len(sandbox.requests()) == 2


def test_a_repeat_looks_first_and_sends_what_did_not_arrive(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state)
    sandbox.fault("verified-info", "refuse", count=1)
    assert said(submit(app, idempotency="key-1")) == UNKNOWN
    assert said(submit(app, idempotency="key-1")) == (201, "VERIFIED", False)
    assert order(sandbox) == ["verified-info", "result", "verified-info"]
    assert sandbox.processed("verified-info") == 1


def test_a_repeat_with_another_body_is_refused_though_the_outcome_is_unknown(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state)
    sandbox.fault("verified-info", "reset", count=1)
    submit(app, idempotency="key-1")
    other = submit(app, idempotency="key-1", body={**INDIVIDUAL, "full_name": "LI SI"})
    assert said(other)[1] == "IDEMPOTENCY_KEY_REUSED"
    assert order(sandbox) == ["verified-info"]


def test_a_repeat_that_cannot_look_sends_nothing(build: Build, sandbox: SandboxDriver) -> None:
    app = build(reliability={"tries": 1})
    sandbox.fault("verified-info", "reset", count=1)
    sandbox.fault("result", "html", count=2)
    answers = [said(submit(app, idempotency="key-1")) for _ in range(4)]
    assert answers == [UNKNOWN, UNKNOWN, UNKNOWN, FOUND]
    assert order(sandbox) == ["verified-info", "result"]


def test_a_refusal_that_answers_our_own_lost_write_is_success(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state, verification={"backend": "review"})
    sandbox.fault("individual", "reset", count=1)
    sandbox.fault("result", **HIDDEN, count=2)
    assert said(submit(app, idempotency="key-1", wait=2)) == UNKNOWN
    assert said(submit(app, idempotency="key-1", wait=4)) == (202, "IN_REVIEW", True)
    codes = [one["code"] for one in sandbox.requests("individual")]
    assert codes == [None, "CBC.99007188"]
    assert sandbox.processed("individual") == 1


def test_a_refusal_that_answers_somebody_elses_write_is_told(build: Build) -> None:
    app = build(verification={"backend": "review"})
    submit(app, idempotency="key-1")
    assert said(submit(app, idempotency="key-2"))[:2] == (409, "ALREADY_VERIFIED_OR_IN_REVIEW")


def test_a_repeat_while_calls_are_paused_does_not_forget_the_unknown_outcome(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state, reliability={"tries": 1, "breaker_failures": 1, "breaker_pause": 0.5})
    sandbox.fault("verified-info", "reset", count=1)
    assert said(submit(app, idempotency="key-1")) == UNKNOWN
    answers = [submit(app, idempotency="key-1")]
    assert said(answers[0]) == (503, "CIRCUIT_OPEN", False)

    def settled() -> bool:
        answers.append(submit(app, idempotency="key-1"))
        return answers[-1].status_code != 503

    wait_until(settled)
    assert said(answers[-1]) == FOUND
    assert len(sandbox.requests("verified-info")) == 1


def test_a_repeat_that_was_throttled_does_not_forget_the_unknown_outcome(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state, reliability={"tries": 1})
    sandbox.fault("verified-info", "reset", count=1)
    sandbox.fault("verified-info", "throttled", count=1)
    sandbox.fault("result", **HIDDEN, count=1)  # the first write shows late
    answers = [said(submit(app, idempotency="key-1"))[1] for _ in range(3)]
    assert answers == ["OUTCOME_UNKNOWN", "UPSTREAM_THROTTLED", "VERIFIED"]
    assert sandbox.processed("verified-info") == 1


def grown_old(valkey: Valkey, seconds: float) -> None:
    """Let everything in it be that much older, as if that much time had passed."""
    valkey.pass_time(seconds)
    with valkey._client() as client:
        for name, value in valkey.values().items():
            if b'"since"' in value:
                record = json.loads(value)
                record["since"] -= seconds
                client.set(name, json.dumps(record), keepttl=True)


def kill(gateway: ServedGateway) -> None:
    """End master and worker as a power cut does."""
    master = gateway._process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    for pid in (master, *map(int, children)):
        os.kill(pid, signal.SIGKILL)
    assert gateway.wait() == -signal.SIGKILL


@pytest.mark.parametrize("processed", [True, False])
def test_a_repeat_after_a_crash_looks_first(
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
    assert said(submit(successor, idempotency="k"))[1] == "IDEMPOTENCY_KEY_IN_FLIGHT"
    grown_old(valkey, 60)
    assert said(submit(successor, idempotency="k")) == (201, "VERIFIED", processed)
    expected = ["verified-info", "result"] + ([] if processed else ["verified-info"])
    assert order(sandbox) == expected
    assert sandbox.processed("verified-info") == 1


# Of another process, with a state that is back with nothing in it, nobody could know.
@pytest.mark.parametrize(
    ("successor", "back"),
    [(False, False), (False, True), (True, False)],
    ids=["same process", "same process, state back with nothing in it", "another process"],
)
def test_a_repeat_after_the_shared_state_was_lost_looks_first(
    build: Build, sandbox: SandboxDriver, mortal: Valkey, successor: bool, back: bool
) -> None:
    def gateway() -> Flask:
        return build(state={"url": mortal.url})

    app = gateway()
    sandbox.fault("verified-info", "reset", count=1)
    assert said(submit(app, idempotency="key-1")) == UNKNOWN
    mortal.kill()
    if back:
        mortal.start()
    assert said(submit(gateway() if successor else app, idempotency="key-1")) == FOUND
    assert order(sandbox) == ["verified-info", "result"]


def test_a_write_under_way_when_the_shared_state_is_lost_is_not_sent_twice(
    build: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    app = build(state={"url": mortal.url}, timeouts={"read": 15.0})
    assert read(app).status_code == 200  # proves the key, which one call has to
    sandbox.fault("verified-info", "latency", seconds=30, count=1)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(submit, app, idempotency="key-1")
        wait_until(lambda: sandbox.requests("verified-info"))
        mortal.kill()
        others = [submit(app, idempotency=key) for key in ("key-1", "key-2")]
        sandbox.clear_faults()
        assert said(first.result()) == (201, "VERIFIED", False)
    assert {said(one)[1] for one in others} == {"IDEMPOTENCY_KEY_IN_FLIGHT"}
    assert submit(app, idempotency="key-1").headers[REPLAYED] == "true"
    assert len(sandbox.requests("verified-info")) == 1


def test_nothing_personal_is_in_the_shared_state(
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
