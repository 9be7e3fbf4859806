"""A repeat after a crash, and after the shared state lost its records."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests

from app.huawei.pacing.deadline import READ_BEFORE
from app.verification.model import Kind
from app.writes.records import Records
from demo.relay import relay
from tests.support.fixtures import Build
from tests.support.gateway import CUSTOMER
from tests.support.gunicorn_process import ServedGateway
from tests.support.patience import ONCE, REPLAYED, headers, path_of, patient, read, said, submit
from tests.support.records import grown_old
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.valkey import SEALING, Valkey
from tests.support.verifications import INDIVIDUAL, personal_values
from tests.writes.unknown_outcomes import SENT, UNKNOWN, lose, order

pytestmark = pytest.mark.long

TRY = ("writer", Kind.INDIVIDUAL, CUSTOMER, "k")


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
        wait_until(lambda: sandbox.received("verified-info"))
        gateway.kill()
        assert isinstance(lost.exception(), requests.ConnectionError)

    successor = build(**differences)
    early = submit(successor, idempotency="k")
    assert said(early)[1] == "IDEMPOTENCY_KEY_IN_FLIGHT"
    grown_old(valkey, 20, *TRY)
    late = submit(successor, idempotency="k")
    assert said(late)[1] == "IDEMPOTENCY_KEY_IN_FLIGHT"
    # A write of 20 seconds is abandoned 5 seconds later: a few repeats suffice, not forty.
    assert int(early.headers["Retry-After"]) <= 2 < 4 <= int(late.headers["Retry-After"]) <= 5
    grown_old(valkey, 60, *TRY)
    assert said(submit(successor, idempotency="k")) == (201, "VERIFIED", processed)
    expected = ["result", "verified-info", "result"] + ([] if processed else ["verified-info"])
    assert order(sandbox) == expected
    assert sandbox.processed("verified-info") == 1


@pytest.mark.parametrize("back", [False, True], ids=["lost", "back with nothing in it"])
def test_a_process_remembers_its_own_try_and_claims_nothing_where_the_shared_state_was_lost(
    build: Build, sandbox: SandboxDriver, mortal: Valkey, back: bool
) -> None:
    """Another replica may have sent a later one."""
    mortal.mature()
    app = build(state={"url": mortal.url})
    lose(app, sandbox)
    mortal.kill()
    if back:
        mortal.start()
    assert said(submit(app, idempotency="key-1")) == UNKNOWN
    assert len(sandbox.submissions()) == 1


@pytest.mark.parametrize("back", [False, True], ids=["lost", "back with nothing in it"])
def test_a_repeat_looks_first_and_is_not_sent_again_where_its_record_may_be_lost(
    build: Build, sandbox: SandboxDriver, mortal: Valkey, back: bool
) -> None:
    first = build(state={"url": mortal.url})
    assert said(submit(first, idempotency="key-1")) == SENT
    mortal.kill()
    if back:
        mortal.start()
    other = build(state={"url": mortal.url})
    # VERIFIED may be the effect of the first try, or not: nothing is claimed.
    assert [said(submit(other, idempotency="key-1")) for _ in range(2)] == [UNKNOWN] * 2
    assert order(sandbox) == ["result", "verified-info", "result"]
    assert sandbox.processed("verified-info") == 1


def test_a_repeat_is_sent_where_the_look_shows_that_nothing_was_processed(
    build: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    app = build(state={"url": mortal.url}, upstream="http://127.0.0.1:1", reliability={"tries": 1})
    assert submit(app, idempotency="key-1").status_code == 503
    mortal.clear()
    assert said(submit(build(state={"url": mortal.url}), idempotency="key-1")) == SENT
    assert order(sandbox) == ["result", "verified-info"]


def test_nothing_is_sent_where_the_record_may_be_lost_and_the_look_fails(
    build: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    app = build(state={"url": mortal.url}, **ONCE)
    sandbox.fault("result", "html", count=2)
    answers = [said(submit(app, idempotency="key-1")) for _ in range(3)]
    assert answers == [UNKNOWN, UNKNOWN, SENT]
    assert len(sandbox.submissions()) == 1


def test_a_slow_look_where_the_record_may_be_lost_is_waited_for(
    build: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    app = build(state={"url": mortal.url})
    sandbox.fault("result", "latency", seconds=READ_BEFORE + 0.2, count=1)
    assert said(submit(app, idempotency="key-1")) == SENT
    assert order(sandbox) == ["result", "verified-info"]


def test_nothing_is_sent_where_the_record_may_be_lost_and_no_time_is_left_to_look(
    build: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    mortal.mature(60)
    app = build(state={"url": mortal.url})
    assert said(submit(app, idempotency="key-1", wait=1))[1] == "DEADLINE_EXCEEDED"
    assert sandbox.requests() == []


def test_huawei_answers_a_repeat_on_the_review_backend_where_its_record_is_lost(
    build: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    both = [build(state={"url": mortal.url}, verification={"backend": "review"}) for _ in range(2)]
    assert said(submit(both[0], idempotency="key-1"))[:2] == (202, "IN_REVIEW")
    mortal.clear()
    told = said(submit(both[1], idempotency="key-1"))
    assert told == (409, "ALREADY_VERIFIED_OR_IN_REVIEW", False)
    assert sandbox.processed("individual") == 1


def test_a_customer_that_huawei_does_not_know_is_refused_though_records_may_be_lost(
    build: Build, mortal: Valkey
) -> None:
    app = build(state={"url": mortal.url})
    assert said(submit(app, "code-CBC-5002", "key-1"))[1] == "CUSTOMER_NOT_FOUND"


def test_a_record_of_a_replica_that_could_not_reach_the_state_is_not_taken_for_none(
    build: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    mortal.mature()
    with relay(mortal.port) as address:
        near = build(state={"url": mortal.url})
        far = build(state={"url": mortal.url.replace(str(mortal.port), str(address.port))})
        assert read(far).status_code == 200
        address.target = 1  # no server
        address.cut()
        assert said(submit(far, idempotency="key-1")) == SENT  # kept in the memory of `far`
        address.target = mortal.port
        gateway = far.extensions["partner_gateway"]
        wait_until(lambda: (read(far), gateway.state.shared)[1])
        assert said(submit(near, idempotency="key-1")) == UNKNOWN
        assert said(submit(near, "another", idempotency="key-2")) == SENT
    assert sandbox.processed("verified-info") == 2


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("forged", ["", "not sealed", "of another key"])
def test_a_record_that_cannot_be_read_is_looked_up_and_is_never_an_answer(
    build: Build, valkey: Valkey, forged: str
) -> None:
    app = build(state={"url": valkey.url})
    records = Records("default", valkey.state(), SEALING)
    names = [
        valkey.name(records.name("key", "writer", Kind.INDIVIDUAL, CUSTOMER, key))
        for key in ("key-1", "key-2")
    ]
    for key in ("key-1", "key-2"):
        assert said(submit(app, idempotency=key)) == SENT
    other = valkey.values()[names[1]]
    valkey.set(names[0], other if forged == "of another key" else forged.encode())
    assert said(submit(build(state={"url": valkey.url}), idempotency="key-1")) == UNKNOWN


@pytest.mark.usefixtures("sandbox")
def test_a_lock_that_cannot_be_read_holds_until_it_expires(build: Build, valkey: Valkey) -> None:
    app = build(state={"url": valkey.url})
    lock = Records("default", valkey.state(), SEALING).name("write", CUSTOMER)
    valkey.state().add(lock, b"1", 30)
    valkey.set(valkey.name(lock), b"not sealed")
    answer = submit(app, idempotency="key-1")
    assert said(answer) == (409, "CUSTOMER_WRITE_IN_PROGRESS", False)
    valkey.pass_time(30)
    assert said(submit(app, idempotency="key-1")) == SENT


def test_a_write_in_progress_when_the_shared_state_is_lost_is_not_sent_twice(
    build: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    app = build(state={"url": mortal.url})
    assert read(app).status_code == 200  # the first call proves the key
    sandbox.fault("verified-info", "latency", seconds=30, count=1)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(submit, app, idempotency="key-1")
        wait_until(lambda: sandbox.received("verified-info"))
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
    app = build(state={"url": valkey.url}, callers=callers)
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
