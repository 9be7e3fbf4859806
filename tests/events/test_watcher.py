"""The watcher: it looks at open reviews in time, within its part of the quota, and loses none."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.events.book import LONGEST, SHORTEST
from app.events.lane import LONGEST as LONGEST_PAUSE
from app.events.open_reviews import LATE
from app.events.results import GIVEN_UP
from app.huawei.pacing.quota import MARGIN
from app.settings import Settings
from app.state import MemoryState
from tests.support.gateway import altered, configuration
from tests.support.patience import patience
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock
from tests.support.watching import Replica

FAULTS: list[tuple[str, dict[str, Any]]] = [
    *((kind, {}) for kind in ("reset", "refuse", "truncated", "html", "empty", "bad_json")),
    ("not_object", {}),
    ("content_type", {}),
    ("hang", {}),
    ("throttled", {}),
    ("throttled", {"retry_after": 30}),
    *(("code", {"code": code}) for code in ("CBC.0999", "CBC.0151", "CBC.5002", "APIGW.0301")),
    ("status", {"status": 200, "body": {"review_result": 7}}),
    ("status", {"status": 404, "body": ""}),
]


@pytest.fixture
def account(tmp_path: Path, sandbox: SandboxDriver) -> Settings:
    document = configuration(tmp_path, sandbox.url)
    return altered(
        Settings.model_validate(document),
        verification={"backend": "review"},
        watch={"calls_per_second": 1},
        reliability={"tries": 5},
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def replica(account: Settings, clock: Clock) -> Replica:
    return Replica(account, MemoryState(now=clock), clock)


def test_the_end_of_a_review_is_told_within_the_time_between_two_looks(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    replica.begin(sandbox, "cust-1", "cust-2")
    replica.watch(60)
    assert replica.told == []
    sandbox.review("cust-1", "rejected")
    replica.watch(SHORTEST + 2 * MARGIN)
    assert (replica.told, replica.open) == ([("cust-1", "REJECTED")], ["cust-2"])


def test_without_an_open_review_nothing_is_sent(replica: Replica, sandbox: SandboxDriver) -> None:
    replica.watch(120)
    assert sandbox.requests() == []


def test_the_part_of_the_quota_is_never_exceeded(
    replica: Replica, sandbox: SandboxDriver, clock: Clock
) -> None:
    replica.begin(sandbox, *(f"cust-{number}" for number in range(40)))
    times: list[float] = []

    def note() -> None:
        times.extend([clock()] * (len(sandbox.requests("result")) - len(times)))

    replica.watch(30, note)
    gaps = [after - before for before, after in pairwise(times)]
    assert 25 <= len(times) <= 30
    assert min(gaps) > 0.95  # the notes are up to a short step late
    replica.watch(30)
    looked = [entry["target"] for entry in sandbox.requests("result")]
    assert len(set(looked)) == 40


def test_an_old_review_is_looked_at_less_often(replica: Replica, sandbox: SandboxDriver) -> None:
    replica.begin(sandbox, "cust-1")
    replica.watch(120)
    young = len(sandbox.requests("result"))
    replica.clock.pass_time(24 * 3600)
    replica.watch(1)
    sandbox.forget_requests()
    replica.watch(3600)
    old = len(sandbox.requests("result"))
    assert 120 / SHORTEST - 1 <= young <= 120 / SHORTEST + 1
    assert 3600 / LONGEST - 1 <= old <= 3600 / LONGEST + 1


@pytest.mark.parametrize(("kind", "how"), FAULTS)
def test_no_fault_of_a_read_loses_a_review_or_tells_a_wrong_end(
    account: Settings, clock: Clock, sandbox: SandboxDriver, kind: str, how: dict[str, Any]
) -> None:
    replica = Replica(altered(account, **patience(kind)), MemoryState(now=clock), clock)
    replica.begin(sandbox, "cust-1", "cust-2")
    sandbox.fault("result", kind, **how)
    replica.watch(30)
    assert (replica.told, replica.open) == ([], ["cust-1", "cust-2"])
    assert 1 <= len(sandbox.requests("result")) <= 30
    sandbox.clear_faults()
    sandbox.unlock()
    sandbox.review("cust-1", "passed")
    # A refused key pair is suspended for five minutes of the machine's clock, not of the test's.
    if how.get("code") != "APIGW.0301":
        replica.watch(LONGEST_PAUSE + SHORTEST)
        assert (replica.told, replica.open) == ([("cust-1", "VERIFIED")], ["cust-2"])


def test_a_failed_read_is_not_repeated_at_once(replica: Replica, sandbox: SandboxDriver) -> None:
    replica.begin(sandbox, "cust-1")
    sandbox.fault("result", "code", code="CBC.0999")
    replica.watcher.step()
    assert len(sandbox.requests("result")) == 1


def test_a_customer_that_huawei_refuses_is_given_up_after_a_day_and_holds_up_nobody(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    refused = "code-CBC-5002"
    replica.begin(sandbox, "cust-1")
    replica.reviews.begin(refused, "INDIVIDUAL", "writer", "NOT_SUBMITTED")
    replica.watch(60)
    sandbox.review("cust-1", "passed")
    replica.watch(SHORTEST + 2 * MARGIN)
    assert (replica.told, replica.open) == ([("cust-1", "VERIFIED")], [refused])
    replica.clock.pass_time(GIVEN_UP)
    replica.watch(LONGEST)
    assert (replica.open, len(replica.told)) == ([], 1)


def test_a_submission_that_huawei_does_not_show_is_given_up_after_a_day(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    replica.reviews.begin("cust-1", "INDIVIDUAL", "writer", "NOT_SUBMITTED")
    replica.watch(60)
    assert len(sandbox.requests("result")) > 1
    replica.clock.pass_time(GIVEN_UP)
    replica.watch(LONGEST)
    assert (replica.open, replica.told) == ([], [])


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("status", {"status": 200, "body": {}}),  # NOT_SUBMITTED
        ("code", {"code": "CBC.5002"}),
    ],
)
def test_a_review_that_was_shown_for_long_is_not_given_up_after_one_answer_that_denies_it(
    replica: Replica, sandbox: SandboxDriver, kind: str, how: dict[str, Any]
) -> None:
    replica.begin(sandbox, "cust-1")
    replica.watch(60)
    for _ in range(2):
        replica.clock.pass_time(GIVEN_UP + 3600)
        sandbox.fault("result", kind, **how)
        replica.watch(2 * LONGEST)
        sandbox.clear_faults()
        replica.watch(2 * LONGEST)  # this ends the time in which Huawei did not know it
    assert replica.open == ["cust-1"]
    sandbox.review("cust-1", "passed")
    replica.watch(LONGEST + SHORTEST)
    assert replica.told == [("cust-1", "VERIFIED")]


def test_a_status_of_before_the_submission_is_not_told_but_given_up_after_a_day(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    sandbox.review("cust-1", "passed")
    replica.reviews.begin("cust-1", "ENTERPRISE_CHANGE", "writer", "VERIFIED")
    replica.watch(2 * LATE)
    assert (replica.open, replica.told) == (["cust-1"], [])
    replica.clock.pass_time(GIVEN_UP)
    replica.watch(LONGEST)
    assert (replica.open, replica.told) == ([], [])


def test_a_review_that_ended_by_a_callers_read_is_watched_no_more(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    replica.begin(sandbox, "cust-1")
    replica.watch(20)
    replica.reviews.seen("cust-1", "VERIFIED", replica.clock(), "reader")
    sandbox.forget_requests()
    replica.watch(60)
    assert sandbox.requests() == []
    assert replica.told == [("cust-1", "VERIFIED")]


def test_a_drain_ends_the_watch_at_once(replica: Replica, sandbox: SandboxDriver) -> None:
    replica.begin(sandbox, "cust-1")
    replica.draining.set()
    replica.watcher.run()
    assert sandbox.requests() == []
    assert not replica.lease.held


def test_a_part_above_the_quota_is_refused(account: Settings) -> None:
    with pytest.raises(ValueError, match=r"watch\.calls_per_second: must not be above `quota`"):
        altered(account, quota={"requests_per_second": 2}, watch={"calls_per_second": 3})
