"""Pages of Huawei's list tell of many reviews by one call; only the result ends a review."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.events.book import CONTRADICTIONS, LEFT, LONGEST, PROVEN, SHORTEST
from app.events.lane import REFUSED
from app.huawei.pacing.quota import MARGIN
from app.settings import Settings
from app.state import MemoryState
from tests.support.gateway import altered, configuration
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock
from tests.support.watching import Replica


@pytest.fixture
def replica(tmp_path: Path, sandbox: SandboxDriver) -> Replica:
    settings = altered(
        Settings.model_validate(configuration(tmp_path, sandbox.url)),
        verification={"backend": "review"},
    )
    clock = Clock()
    return Replica(settings, MemoryState(now=clock), clock)


def associated(sandbox: SandboxDriver, number: int) -> list[str]:
    """So many customers of the partner, in the order of the list."""
    names = [f"cust-{place:04}" for place in range(number)]
    sandbox.customers(*names)
    return names


def calls(sandbox: SandboxDriver) -> dict[str, int]:
    seen = [entry["operation"] for entry in sandbox.requests()]
    return {name: seen.count(name) for name in set(seen)}


def pages(sandbox: SandboxDriver) -> list[int]:
    """The pages that were read, in their order."""
    return [json.loads(one["body"])["offset"] // 100 for one in sandbox.requests("list_customers")]


def test_one_page_tells_of_a_hundred_reviews(replica: Replica, sandbox: SandboxDriver) -> None:
    names = associated(sandbox, 90)
    replica.begin(sandbox, *names)
    replica.watch(30)
    made = calls(sandbox)
    assert made["list_customers"] <= 30 / (SHORTEST - 1)
    assert made.get("result", 0) <= 5
    assert replica.told == []


def test_an_end_that_a_page_shows_is_told_after_the_result_confirms_it(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    names = associated(sandbox, 50)
    replica.begin(sandbox, *names)
    replica.watch(20)
    sandbox.review(names[7], "rejected")
    sandbox.review(names[9], "passed")
    sandbox.forget_requests()
    replica.watch(SHORTEST + 4 * MARGIN)
    assert sorted(replica.told) == [(names[7], "REJECTED"), (names[9], "VERIFIED")]
    confirmed = [entry["target"].partition("=")[2] for entry in sandbox.requests("result")]
    assert {names[7], names[9]} <= set(confirmed)


def test_only_pages_with_reviews_are_read_again(replica: Replica, sandbox: SandboxDriver) -> None:
    names = associated(sandbox, 250)
    replica.begin(sandbox, *names[210:250])
    replica.watch(30)
    assert pages(sandbox)[:3] == [0, 1, 2]
    assert set(pages(sandbox)[3:]) == {2}


def test_few_reviews_are_read_one_by_one(replica: Replica, sandbox: SandboxDriver) -> None:
    names = associated(sandbox, 350)
    replica.begin(sandbox, names[0], names[150], names[320])
    replica.watch(60)
    assert len(pages(sandbox)) <= 1  # to learn how many pages there are
    assert calls(sandbox)["result"] >= 60 / SHORTEST


def test_a_list_that_shows_the_end_too_early_ends_no_review(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    names = associated(sandbox, 3)
    replica.begin(sandbox, *names)
    infos = [{"customer_id": name, "verified_status": "2"} for name in names]
    body = {"count": 3, "customer_infos": infos}
    sandbox.fault("list_customers", "status", status=200, body=body)
    replica.watch(120)
    assert (replica.told, sorted(replica.open)) == ([], names)
    assert len(pages(sandbox)) <= CONTRADICTIONS + 2  # then it is asked no more
    sandbox.review(names[0], "passed")
    replica.watch(SHORTEST + 3 * MARGIN)
    assert replica.told == [(names[0], "VERIFIED")]


def test_the_result_is_read_now_and_then_though_the_list_shows_no_end(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    names = associated(sandbox, 3)
    replica.begin(sandbox, *names)
    infos = [{"customer_id": name, "verified_status": "0"} for name in names]
    body = {"count": 3, "customer_infos": infos}
    sandbox.fault("list_customers", "status", status=200, body=body)
    replica.watch(60)
    sandbox.review(names[0], "passed")
    replica.watch(PROVEN + LONGEST)
    assert replica.told == [(names[0], "VERIFIED")]


def test_a_credential_that_may_not_list_reads_one_by_one(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    names = associated(sandbox, 10)
    replica.begin(sandbox, *names)
    sandbox.fault("list_customers", "code", code="CBC.0151", status=403)
    replica.watch(60)
    assert len(pages(sandbox)) == 1
    sandbox.review(names[0], "passed")
    replica.watch(30)
    assert replica.told == [(names[0], "VERIFIED")]
    sandbox.clear_faults()
    replica.clock.pass_time(REFUSED)
    replica.begin(sandbox, *(f"new-{number}" for number in range(20)))
    replica.watch(20)
    assert len(pages(sandbox)) > 1


def test_customers_that_the_list_leaves_out_are_read_one_by_one(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    associated(sandbox, 20)
    strangers = ["other-1", "other-2", "other-3"]
    replica.begin(sandbox, *strangers)
    replica.watch(60)
    assert len(pages(sandbox)) <= 3
    sandbox.review("other-2", "passed")
    replica.watch(SHORTEST + 3 * MARGIN)
    assert replica.told == [("other-2", "VERIFIED")]


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        *((kind, {}) for kind in ("reset", "html", "truncated", "empty", "throttled")),
        ("code", {"code": "CBC.0999"}),
        ("status", {"status": 200, "body": {"count": 1}}),
    ],
)
def test_no_fault_of_the_list_loses_a_review(
    replica: Replica, sandbox: SandboxDriver, kind: str, how: dict[str, Any]
) -> None:
    names = associated(sandbox, 10)
    replica.begin(sandbox, *names)
    sandbox.fault("list_customers", kind, **how)
    replica.watch(20)
    assert (replica.told, len(replica.open)) == ([], 10)
    sandbox.review(names[3], "passed")
    replica.watch(20)
    assert replica.told == [(names[3], "VERIFIED")]


def test_the_part_of_the_quota_holds_for_each_api(replica: Replica, sandbox: SandboxDriver) -> None:
    names = associated(sandbox, 150)
    replica.begin(sandbox, *names)
    replica.watch(30)
    made = calls(sandbox)
    assert max(made.values()) <= 30


def test_nothing_personal_of_a_page_is_kept(replica: Replica, sandbox: SandboxDriver) -> None:
    sandbox.customer("cust-1", person="LI SI", email="li@example.com", phone="0065-123")
    sandbox.customer("cust-2")
    replica.begin(sandbox, "cust-1", "cust-2")
    replica.watch(20)
    assert calls(sandbox)["list_customers"] >= 1
    rows = b"".join(replica.state.table("open reviews of default", 60).rows())
    assert b"LI SI" not in rows


def test_dense_pages_hold_up_no_sparse_page(replica: Replica, sandbox: SandboxDriver) -> None:
    names = associated(sandbox, 2000)
    reviews = [name for place, name in enumerate(names) if place < 700 or place % 20 == 0]
    replica.begin(sandbox, *reviews)  # 100 on each of 7 pages, 5 on each of 13
    replica.watch(30 * MARGIN)
    sandbox.forget_requests()
    replica.watch(60 * MARGIN)
    read = pages(sandbox)
    assert {read.count(page) for page in range(20)} == {3}


def test_a_review_that_a_page_tells_of_soon_is_not_read_by_itself(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    names = associated(sandbox, 1000)
    replica.begin(sandbox, *names[::10])
    replica.watch(30 * MARGIN)
    sandbox.forget_requests()
    replica.watch(40)
    assert "result" not in calls(sandbox)


def test_a_list_that_fails_holds_up_a_review_for_a_minute_at_most(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    names = associated(sandbox, 10)
    replica.begin(sandbox, *names)
    replica.watch(30)
    sandbox.fault("list_customers", "code", code="CBC.0999", count=None)
    sandbox.review(names[3], "passed")
    replica.watch(LEFT + SHORTEST + 10 * MARGIN)
    assert replica.told == [(names[3], "VERIFIED")]
