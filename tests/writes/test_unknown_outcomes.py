"""A repeat after an unknown outcome reads the result first, whatever else failed since."""

from __future__ import annotations

from typing import Any

import pytest

from app.huawei.pacing.deadline import READ_BEFORE
from tests.support.fixtures import Build
from tests.support.patience import ONCE, REPLAYED, said, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.valkey import Valkey
from tests.support.verifications import ENTERPRISE, INDIVIDUAL
from tests.writes.unknown_outcomes import (
    FOUND,
    HIDDEN,
    READS,
    SENT,
    UNKNOWN,
    WAIT,
    lose,
    order,
)


@pytest.fixture(params=["memory", "redis"])
def state(request: pytest.FixtureRequest, valkey: Valkey) -> dict[str, Any] | None:
    return {"url": valkey.url} if request.param == "redis" else None


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
    answered = said(submit(app, **change))
    refused = (409, "ALREADY_VERIFIED_OR_IN_REVIEW", False)
    assert answered == (refused if lost == "reset" else (201, "VERIFIED", False))
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
    app = build(**ONCE)
    lose(app, sandbox)
    sandbox.fault("result", "html", count=2)
    answers = [said(submit(app, idempotency="key-1")) for _ in range(3)]
    assert answers == [UNKNOWN, UNKNOWN, FOUND]
    assert len(sandbox.submissions()) == 1


def test_a_submission_without_a_key_is_sent_although_its_look_fails(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(verification={"backend": "review"}, **ONCE)
    sandbox.fault("result", "html", count=1)
    assert said(submit(app)) == (202, "IN_REVIEW", False)


def test_a_slow_look_after_a_lost_answer_is_waited_for(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build()
    lose(app, sandbox)
    sandbox.fault("result", "latency", seconds=READ_BEFORE + 0.2, count=1)
    assert said(submit(app, idempotency="key-1")) == FOUND


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
    app = build(state=state, **ONCE)
    lose(app, sandbox)
    sandbox.fault("verified-info", "throttled", count=1)
    sandbox.fault("result", **HIDDEN, count=1)  # the result shows the first write late
    answers = [said(submit(app, idempotency="key-1"))[1] for _ in range(2)]
    assert answers == ["UPSTREAM_THROTTLED", "VERIFIED"]
    assert sandbox.processed("verified-info") == 1
