"""A repeat after an unknown outcome reads the result first, whatever else failed since."""

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

from tests.support.fixtures import Build
from tests.support.gunicorn_process import ServedGateway
from tests.support.patience import REPLAYED, headers, path_of, patient, read, said, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.valkey import Valkey
from tests.support.verifications import ENTERPRISE, INDIVIDUAL, personal_values

UNKNOWN = (504, "OUTCOME_UNKNOWN", False)
FOUND = (201, "VERIFIED", True)
SENT = (201, "VERIFIED", False)
HIDDEN: dict[str, Any] = {
    "kind": "status",
    "status": 200,
    "body": "{}",
}  # a result that does not show the write
WAIT = 2  # seconds: a read before the submission, and reads 0.2 and 0.8 seconds after it
READS = 3  # reads of the customer's state by a submission with that deadline and a lost answer


def order(sandbox: SandboxDriver) -> list[str]:
    """The calls so far; the tries of a read after a lost write count as one."""
    names = [one["operation"] for one in sandbox.requests()]
    return [name for place, name in enumerate(names) if names[place - 1 : place] != [name]]


@pytest.fixture(params=["memory", "redis"])
def state(request: pytest.FixtureRequest, valkey: Valkey) -> dict[str, Any] | None:
    return {"url": valkey.url} if request.param == "redis" else None


def lose(app: Flask, sandbox: SandboxDriver, fault: str = "reset", key: str = "key-1") -> None:
    """Submit with a key, lose the answer, and hide the write in the result."""
    sandbox.fault("verified-info", fault, count=1)
    sandbox.fault("result", **HIDDEN, count=READS)
    assert said(submit(app, idempotency=key, wait=WAIT)) == UNKNOWN
    sandbox.clear_faults()


def test_a_lost_answer_is_settled_in_the_same_request_where_the_state_proves_it(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state)
    sandbox.fault("verified-info", "reset", count=1)
    found = submit(app, idempotency="key-1")
    assert said(found) == FOUND
    assert found.get_json()["backend"] == "legacy"
    assert REPLAYED not in found.headers
    assert order(sandbox) == ["result", "verified-info", "result"]
    again = submit(app, idempotency="key-1")
    assert (said(again), again.headers[REPLAYED]) == (FOUND, "true")
    assert len(sandbox.requests()) == 3


def test_a_repeat_reads_the_result_first_and_finds_the_lost_write(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state)
    lose(app, sandbox)
    found = submit(app, idempotency="key-1")
    assert said(found) == FOUND
    assert REPLAYED not in found.headers
    assert order(sandbox) == ["result", "verified-info", "result"]
    again = submit(app, idempotency="key-1")
    assert (said(again), again.headers[REPLAYED]) == (FOUND, "true")
    assert sandbox.processed("verified-info") == 1


def test_a_repeat_reads_the_result_first_and_sends_a_write_that_did_not_arrive(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state)
    sandbox.fault("verified-info", "refuse", count=1)
    assert said(submit(app, idempotency="key-1", wait=WAIT)) == UNKNOWN
    assert said(submit(app, idempotency="key-1")) == SENT
    assert order(sandbox) == ["result", "verified-info", "result", "verified-info"]
    assert sandbox.processed("verified-info") == 1


def test_a_write_in_between_invalidates_the_proof(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state, verification={"backend": "review"})
    sandbox.settings(is_review=0)
    sandbox.fault("individual", "refuse", count=1)
    assert said(submit(app, idempotency="key-1", wait=WAIT)) == UNKNOWN
    company: dict[str, Any] = {"form": "enterprise", "body": ENTERPRISE}
    assert said(submit(app, idempotency="key-2", **company)) == (201, "VERIFIED", False)
    # VERIFIED belongs to the company: the person's submission is sent, and Huawei refuses it.
    answer = said(submit(app, idempotency="key-1"))
    assert answer == (409, "ALREADY_VERIFIED_OR_IN_REVIEW", False)
    assert len(sandbox.requests("individual")) == 2


@pytest.mark.parametrize("lost", ["reset", "refuse"])
def test_the_verification_of_an_individual_does_not_prove_the_change_to_an_enterprise(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None, lost: str
) -> None:
    app = build(state=state, verification={"backend": "review"})
    sandbox.settings(is_review=0)
    assert said(submit(app)) == (201, "VERIFIED", False)
    sandbox.fault("change", lost, count=1)
    change: dict[str, Any] = {
        "form": "enterprise-change",
        "body": ENTERPRISE,
        "idempotency": "key-1",
    }
    assert said(submit(app, **change, wait=WAIT)) == UNKNOWN
    told = said(submit(app, **change))
    refused = (409, "ALREADY_VERIFIED_OR_IN_REVIEW", False)
    assert told == (refused if lost == "reset" else (201, "VERIFIED", False))
    assert sandbox.processed("change") == 1


def test_an_enterprise_change_is_sent_although_the_shared_state_is_lost(
    build: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    app = build(state={"url": mortal.url}, verification={"backend": "review"})
    sandbox.settings(is_review=0)
    submit(app)
    mortal.kill()
    change = submit(app, form="enterprise-change", body=ENTERPRISE, idempotency="key-1")
    assert said(change) == (201, "VERIFIED", False)
    assert sandbox.processed("change") == 1


def test_an_enterprise_that_is_verified_already_is_not_verified_by_a_lost_answer(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(verification={"backend": "review"})
    sandbox.settings(is_review=0)
    company: dict[str, Any] = {"form": "enterprise", "body": ENTERPRISE}
    assert said(submit(app, **company)) == (201, "VERIFIED", False)
    refused = (409, "ALREADY_VERIFIED_OR_IN_REVIEW", False)
    assert said(submit(app, **company)) == refused
    sandbox.fault("enterprise", "html", processed=False, count=1)
    assert said(submit(app, **company, idempotency="key-1", wait=WAIT)) == UNKNOWN
    assert said(submit(app, **company, idempotency="key-1")) == refused


def test_another_document_is_not_verified_by_the_first_ones_verification(
    build: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    app = build(state={"url": mortal.url}, verification={"backend": "review"})
    sandbox.settings(is_review=0)
    assert said(submit(app, idempotency="key-1")) == (201, "VERIFIED", False)
    mortal.kill()
    other = {**INDIVIDUAL, "document": {"type": "PASSPORT", "number": "X7654321"}}
    answer = said(submit(app, idempotency="key-2", body=other))
    assert answer == (409, "ALREADY_VERIFIED_OR_IN_REVIEW", False)


def test_a_first_submission_with_redis_and_huawei_unreachable_was_not_sent(
    build: Build, mortal: Valkey
) -> None:
    for backend in ("legacy", "review"):
        app = build(
            state={"url": mortal.url},
            upstream="http://127.0.0.1:1",
            verification={"backend": backend},
            reliability={"tries": 1},
        )
        mortal.kill()
        problem = submit(app, idempotency="key-1").get_json()
        assert (problem["code"], problem["retry"]) == ("UPSTREAM_UNREACHABLE", "AFTER_DELAY")
        mortal.start()


def test_a_repeat_with_another_body_is_refused_though_the_outcome_is_unknown(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state)
    lose(app, sandbox)
    other = submit(app, idempotency="key-1", body={**INDIVIDUAL, "full_name": "LI SI"})
    assert said(other)[1] == "IDEMPOTENCY_KEY_REUSED"
    assert len(sandbox.submissions()) == 1


def test_a_repeat_that_cannot_read_the_result_sends_nothing(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(reliability={"tries": 1})
    lose(app, sandbox)
    sandbox.fault("result", "html", count=2)
    answers = [said(submit(app, idempotency="key-1")) for _ in range(3)]
    assert answers == [UNKNOWN, UNKNOWN, FOUND]
    assert len(sandbox.submissions()) == 1


def test_a_refusal_that_answers_our_own_lost_write_is_success(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state, verification={"backend": "review"})
    sandbox.fault("individual", "reset", count=1)
    sandbox.fault("result", **HIDDEN, count=READS + 1)
    assert said(submit(app, idempotency="key-1", wait=WAIT)) == UNKNOWN
    assert said(submit(app, idempotency="key-1", wait=4)) == (202, "IN_REVIEW", True)
    codes = [one["code"] for one in sandbox.requests("individual")]
    assert codes == [None, "CBC.99007188"]
    assert sandbox.processed("individual") == 1


def test_a_refusal_that_answers_a_foreign_write_is_reported(build: Build) -> None:
    app = build(verification={"backend": "review"})
    submit(app, idempotency="key-1")
    assert said(submit(app, idempotency="key-2"))[:2] == (409, "ALREADY_VERIFIED_OR_IN_REVIEW")


def test_a_repeat_during_an_open_circuit_keeps_the_record_of_the_unknown_outcome(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state, reliability={"tries": 1, "breaker_failures": 1, "breaker_pause": 2.0})
    lose(app, sandbox)
    answers = [submit(app, idempotency="key-1")]
    assert said(answers[0]) == (503, "CIRCUIT_OPEN", False)

    def settled() -> bool:
        answers.append(submit(app, idempotency="key-1"))
        return answers[-1].status_code != 503

    wait_until(settled)
    assert said(answers[-1]) == FOUND
    assert len(sandbox.requests("verified-info")) == 1


def test_a_throttled_repeat_keeps_the_record_of_the_unknown_outcome(
    build: Build, sandbox: SandboxDriver, state: dict[str, Any] | None
) -> None:
    app = build(state=state, reliability={"tries": 1})
    lose(app, sandbox)
    sandbox.fault("verified-info", "throttled", count=1)
    sandbox.fault("result", **HIDDEN, count=1)  # the result shows the first write late
    answers = [said(submit(app, idempotency="key-1"))[1] for _ in range(2)]
    assert answers == ["UPSTREAM_THROTTLED", "VERIFIED"]
    assert sandbox.processed("verified-info") == 1


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
    master = gateway._process.pid
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
    told = ["IDEMPOTENCY_KEY_IN_FLIGHT", "CUSTOMER_WRITE_IN_PROGRESS"]
    assert [said(one)[1] for one in others] == told
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
