"""Every fault of the sandbox, for freezes and unfreezes, with the state in memory and in Redis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product
from time import monotonic
from typing import Any

import pytest

from sandbox.faults import KINDS
from tests.customers.freezes.freezing import ACCOUNT, RESOURCES, UNKNOWN, at_huawei, change, said
from tests.support.fixtures import Build
from tests.support.patience import HANGS, new_customer
from tests.support.sandbox_driver import SandboxDriver
from tests.test_fault_matrix import about, at_once

pytestmark = [pytest.mark.slow, pytest.mark.long]

WAIT = 3  # seconds that a caller waits for an outcome that may stay unknown
STATES = ("memory", "redis")
WRITES = (("freeze", ACCOUNT), ("freeze", RESOURCES), ("unfreeze", ACCOUNT))
CELLS = list(product(STATES, WRITES))


@dataclass(frozen=True)
class Case:
    """A fault of a write, whether Huawei processes it, and the answer if no state proves it.

    `failed` is None where Huawei's own answer arrives.
    """

    kind: str
    processed: bool
    failed: str | None = UNKNOWN
    parameters: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}{'' if self.processed else '-unprocessed'}"


# An empty answer is Huawei's success of these calls. `empty` and `slow_body`, which leaves an empty
# body as it is, are therefore no faults where the call is processed, and lies where it is not.
CASES = [
    Case("latency", True, None, (("seconds", 0.2),)),
    *(Case(kind, True, None) for kind in ("content_type", "empty", "slow_body")),
    Case("damaged_text", True),
    Case("refuse", False),
    *(
        case
        for processed in (True, False)
        for case in (
            *(Case(kind, processed) for kind in ("hang", "reset", "truncated", "html", "huge")),
            *(Case(kind, processed) for kind in ("bad_json", "not_object", "status")),
            Case("code", processed, "UPSTREAM_ERROR"),
            Case("redirect", processed, "UPSTREAM_MALFORMED"),
        )
    ),
]


def test_the_fault_matrix_of_freezes_has_every_fault_of_the_sandbox() -> None:
    assert {case.kind for case in CASES} | {"throttled"} == set(KINDS)


def new_customers(sandbox: SandboxDriver) -> dict[Any, str]:
    """For each cell a customer, in the other state than the write leads to."""
    found = {}
    for cell in CELLS:
        found[cell] = new_customer()
        sandbox.customer(found[cell], frozen=cell[1][0] == "unfreeze")
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_faulty_freeze_is_sent_once_and_claimed_only_where_the_state_proves_it(
    gateways: Build, sandbox: SandboxDriver, case: Case
) -> None:
    chosen = {"processed": case.processed} if KINDS[case.kind].choosable else {}
    for verb in ("freeze", "unfreeze"):
        sandbox.fault(verb, case.kind, **chosen, **dict(case.parameters))
    customers = new_customers(sandbox)

    def write(cell: Any, wait: int | None = None) -> Any:
        state, (verb, kind) = cell
        app = gateways(state, hasty=case.kind in HANGS)
        return change(app, verb, customers[cell], "k", kind, wait)

    for state in STATES:
        gateways(state, hasty=case.kind in HANGS)  # a build would count as a part of the request
    for cell, (response, seconds) in at_once(partial(write, wait=WAIT), CELLS).items():
        verb, kind = cell[1]
        proven = case.processed and kind != RESOURCES
        done = case.failed is None or proven
        assert said(response) == ((verb == "freeze") if done else case.failed), cell
        assert seconds < WAIT + 1
        if not done:
            assert response.get_json()["retry"] == "SAME_KEY"
        assert [one["processed"] for one in about(sandbox, verb, customers[cell])] == [
            case.processed
        ]
    sandbox.clear_faults()
    for cell, (response, _) in at_once(write, CELLS).items():
        verb, kind = cell[1]
        assert said(response) is (verb == "freeze")
        assert at_huawei(sandbox, customers[cell])[0] is (verb == "freeze")
        # Nothing proves a lost freeze of resources: the repeat is sent. It sets the same state.
        again = not case.processed or (case.failed is not None and kind == RESOURCES)
        assert len(about(sandbox, verb, customers[cell])) == 1 + again


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("verb", "kind"), WRITES)
def test_a_throttled_freeze_is_sent_again_after_the_pause(
    gateways: Build, sandbox: SandboxDriver, state: str, verb: str, kind: str
) -> None:
    customer, app = new_customer(), gateways(state, "throttled")
    sandbox.customer(customer, frozen=verb == "unfreeze")
    sandbox.fault(verb, "throttled", retry_after=1, count=1)
    begun = monotonic()
    assert said(change(app, verb, customer, kind=kind, wait=WAIT)) is (verb == "freeze")
    assert 1 <= monotonic() - begun < WAIT + 1
    assert (len(sandbox.requests(verb)), sandbox.processed(verb)) == (2, 1)
    sandbox.fault(verb, "throttled", retry_after=30)
    refused = change(app, verb, customer, kind=kind, wait=WAIT)
    assert (said(refused), refused.headers["Retry-After"]) == ("UPSTREAM_THROTTLED", "30")
    assert sandbox.processed(verb) == 1
