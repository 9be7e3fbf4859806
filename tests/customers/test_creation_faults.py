"""Every fault of the sandbox on the creation of a customer, with either state."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest

from tests.customers.creations import CREATE, DONE, FOUND, UNKNOWN, WAIT, associate, processed
from tests.support.fixtures import Build
from tests.support.onboarding import create
from tests.support.patience import HANGS, REPLAYED, new_customer, said
from tests.support.sandbox_driver import SandboxDriver
from tests.test_fault_matrix import CASES, STATES, Case, at_once

pytestmark = pytest.mark.long

cases = pytest.mark.parametrize("case", CASES, ids=str)
LOST = [case for case in CASES if case.lost and case.processed]


def create_everywhere(
    kept: Build, ids: dict[str, str], wait: int | None, **chosen: Any
) -> dict[str, Any]:
    """Create one customer by each gateway at once. Returns the answers and their seconds."""
    clients = {state: kept(state, **chosen).test_client() for state in STATES}
    return at_once(
        lambda state: create(clients[state], ids[state], wait=wait, partner_user_id=ids[state]),
        STATES,
    )


@pytest.fixture
def ids() -> dict[str, str]:
    """A new customer for each gateway."""
    return {state: f"shop-{new_customer()}" for state in STATES}


@cases
def test_a_faulty_creation_is_processed_once_and_its_repeat_tells_the_customer(
    kept_creator: Build, sandbox: SandboxDriver, ids: dict[str, str], case: Case
) -> None:
    case.arrange(sandbox, CREATE)
    first = create_everywhere(kept_creator, ids, WAIT, hasty=case.kind in HANGS)
    sandbox.clear_faults()
    again = create_everywhere(kept_creator, ids, None, hasty=case.kind in HANGS)
    for state, (response, seconds) in first.items():
        lost = FOUND if case.processed else case.lost
        assert said(response) == (lost if case.lost else DONE), state
        assert seconds < WAIT + 1
        repeat, _ = again[state]
        if case.processed:
            assert (repeat.get_json(), repeat.headers[REPLAYED]) == (response.get_json(), "true")
        else:
            assert response.get_json()["retry"] == "SAME_KEY"
            assert said(repeat) == DONE
        assert processed(sandbox, ids[state]) == ([True] if case.processed else [False, True])


@pytest.mark.parametrize("case", LOST, ids=str)
def test_a_lost_creation_is_found_when_huawei_lists_it_and_its_repeat_makes_no_second_one(
    kept_creator: Build, sandbox: SandboxDriver, ids: dict[str, str], case: Case
) -> None:
    sandbox.settings(association_seconds=None)
    case.arrange(sandbox, CREATE)
    first = create_everywhere(kept_creator, ids, WAIT, hasty=case.kind in HANGS)
    sandbox.clear_faults()
    early = create_everywhere(kept_creator, ids, WAIT, hasty=case.kind in HANGS)
    customers = {state: associate(sandbox, ids[state]) for state in STATES}
    late = create_everywhere(kept_creator, ids, None, hasty=case.kind in HANGS)
    for state in STATES:
        assert said(first[state][0]) == case.lost
        # Huawei refuses the repeat, because the customer exists: what is not listed has no id.
        assert said(early[state][0]) == UNKNOWN
        assert early[state][0].get_json()["upstream"]["code"] == "CBC.99000039"
        assert "does not list it yet" in early[state][0].get_json()["detail"]
        assert said(late[state][0]) == FOUND
        assert late[state][0].get_json()["customer_id"] == customers[state]
        assert processed(sandbox, ids[state]) == [True, False]


@pytest.mark.parametrize("kind", ["reset", "hang", "html"])
def test_a_lost_creation_stays_unknown_while_the_list_cannot_be_read_and_is_found_after(
    kept_creator: Build, sandbox: SandboxDriver, ids: dict[str, str], kind: str
) -> None:
    sandbox.fault("list_customers", "latency", seconds=0, count=len(STATES))  # the look before
    sandbox.fault("list_customers", "html")
    sandbox.fault(CREATE, kind, processed=True)
    first = create_everywhere(kept_creator, ids, WAIT, hasty=kind in HANGS)
    second = create_everywhere(kept_creator, ids, WAIT, hasty=kind in HANGS)
    sandbox.clear_faults()
    third = create_everywhere(kept_creator, ids, None, hasty=kind in HANGS)
    for state in STATES:
        answers = [said(one[state][0]) for one in (first, second, third)]
        assert answers == [UNKNOWN, UNKNOWN, FOUND]
        assert second[state][0].get_json()["retry"] == "SAME_KEY"
        assert processed(sandbox, ids[state]) == [True]


@pytest.mark.parametrize("kind", ["reset", "hang", "html", "code"])
def test_nothing_is_sent_where_the_look_before_fails(
    kept_creator: Build, sandbox: SandboxDriver, ids: dict[str, str], kind: str
) -> None:
    sandbox.fault("list_customers", kind)
    first = create_everywhere(kept_creator, ids, WAIT, hasty=kind in HANGS)
    sandbox.clear_faults()
    again = create_everywhere(kept_creator, ids, None, hasty=kind in HANGS)
    for state in STATES:
        problem = first[state][0].get_json()
        assert problem["code"] in ("UPSTREAM_ERROR", "UPSTREAM_MALFORMED")
        assert problem["retry"] == "AFTER_DELAY"
        assert said(again[state][0]) == DONE
        assert processed(sandbox, ids[state]) == [True]


def test_a_creation_that_was_throttled_is_sent_again_after_the_pause(
    kept_creator: Build, sandbox: SandboxDriver, ids: dict[str, str]
) -> None:
    sandbox.fault(CREATE, "throttled", retry_after=1, count=len(STATES))
    begun = monotonic()
    answers = create_everywhere(kept_creator, ids, None, group="throttled")
    assert monotonic() - begun >= 1
    for state in STATES:
        assert said(answers[state][0]) == DONE
        assert processed(sandbox, ids[state]).count(True) == 1


def test_a_creation_throttled_beyond_its_deadline_is_refused_and_may_be_repeated(
    kept_creator: Build, sandbox: SandboxDriver, ids: dict[str, str]
) -> None:
    sandbox.fault(CREATE, "throttled", retry_after=30)
    first = create_everywhere(kept_creator, ids, WAIT)
    sandbox.clear_faults()
    for state in STATES:
        assert said(first[state][0]) == (503, "UPSTREAM_THROTTLED", False)
        assert first[state][0].get_json()["retry"] == "AFTER_DELAY"
    again = create_everywhere(kept_creator, ids, None)
    assert {said(answer) for answer, _ in again.values()} == {DONE}
    assert sandbox.processed(CREATE) == len(STATES)
