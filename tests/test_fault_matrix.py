"""Every fault of the sandbox, for each kind of call, with the state in memory and in Valkey."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

import pytest

from sandbox.faults import KINDS
from tests.support.fixtures import Build
from tests.support.patience import HANGS, new_customer, read, said, submit
from tests.support.sandbox_driver import SandboxDriver

pytestmark = pytest.mark.long

WAIT = 3  # seconds: the callers' deadline, with a reserve for a busy machine
READ_DEADLINE = 8  # seconds, as in the contract

UPSTREAM = {"legacy": "verified-info", "review": "individual"}
STATES = ("memory", "redis")
CELLS = [(backend, state) for backend in UPSTREAM for state in STATES]
DONE = {"legacy": (201, "VERIFIED", False), "review": (202, "IN_REVIEW", False)}
RECONCILED = (202, "IN_REVIEW", True)
UNKNOWN = (504, "OUTCOME_UNKNOWN", False)


@dataclass(frozen=True)
class Case:
    """A fault, and its effect on a write and on a read.

    `processed`: whether Huawei processes the call before the fault.
    `lost`: the answer to a caller of the legacy call; None where Huawei's answer still arrives.
    """

    kind: str
    processed: bool
    lost: tuple[int, str, bool] | None = UNKNOWN
    read: tuple[int, str] = (502, "UPSTREAM_MALFORMED")
    parameters: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}{'' if self.processed else '-unprocessed'}"

    def arrange(self, sandbox: SandboxDriver, operation: str, **more: Any) -> None:
        chosen = {"processed": self.processed} if KINDS[self.kind].choosable else {}
        sandbox.fault(operation, self.kind, **chosen, **dict(self.parameters), **more)


ERROR = (502, "UPSTREAM_ERROR")
FINE = (200, "VERIFIED")
CASES = [
    Case("latency", True, None, FINE, (("seconds", 0.2),)),
    Case("content_type", True, None, FINE),
    Case("damaged_text", True, None, FINE),
    Case("refuse", False, UNKNOWN, ERROR),
    *(
        case
        for processed in (True, False)
        for case in (
            Case("hang", processed, UNKNOWN, ERROR),
            Case("reset", processed, UNKNOWN, ERROR),
            Case("truncated", processed, UNKNOWN, ERROR),
            Case("slow_body", processed, UNKNOWN, ERROR, (("seconds", 3),)),
            Case("html", processed),
            Case("empty", processed),
            Case("bad_json", processed),
            Case("not_object", processed),
            Case("huge", processed),
            Case("status", processed),
            Case("code", processed, (502, "UPSTREAM_ERROR", False), ERROR),
            Case("redirect", processed, (502, "UPSTREAM_MALFORMED", False)),
        )
    ),
]
# `processed` has no effect on a read.
READS = [case for case in CASES if case.processed or case.kind == "refuse"]
LOST_READS = [case for case in READS if case.lost]
cases = pytest.mark.parametrize("case", CASES, ids=str)
states = pytest.mark.parametrize("state", STATES)
T = TypeVar("T")
K = TypeVar("K")


def at_once(work: Callable[[K], T], keys: Sequence[K]) -> dict[K, tuple[T, float]]:
    """The result of `work` for each key and its seconds; all run concurrently."""

    def timed(key: K) -> tuple[T, float]:
        begun = monotonic()
        return work(key), monotonic() - begun

    with ThreadPoolExecutor(len(keys)) as threads:
        return dict(zip(keys, threads.map(timed, keys), strict=True))


def about(sandbox: SandboxDriver, operation: str, customer: str) -> list[dict[str, Any]]:
    """The requests about a customer."""
    found = sandbox.requests(operation)
    return [one for one in found if f'"{customer}"' in one["body"] or customer in one["target"]]


def test_the_fault_matrix_has_every_fault_of_the_sandbox() -> None:
    assert {case.kind for case in CASES} | {"throttled"} == set(KINDS)


@cases
def test_a_faulty_write_is_sent_once_and_answered_in_time(
    kept: Build, sandbox: SandboxDriver, case: Case
) -> None:
    for operation in UPSTREAM.values():
        case.arrange(sandbox, operation)  # the fault applies to every write and to no read
    customers = {cell: "-".join((new_customer(), *cell)) for cell in CELLS}
    gateways = {cell: kept(cell[1], cell[0], hasty=case.kind in HANGS) for cell in CELLS}
    # The first call of a key pair proves it, and the others wait for it, also while it hangs.
    wait = WAIT + 2 if case.kind in HANGS else WAIT
    answers = at_once(lambda cell: submit(gateways[cell], customers[cell], wait=wait), CELLS)
    for (backend, state), (response, seconds) in answers.items():
        customer = customers[backend, state]
        expected = case.lost or DONE[backend]
        if case.lost and case.processed and backend == "review":
            expected = RECONCILED
        assert said(response) == expected, (backend, state)
        if response.status_code >= 500:
            assert response.get_json()["retry"] == "SAME_KEY"
        assert seconds < wait + 1
        sent = about(sandbox, UPSTREAM[backend], customer)
        assert [one["processed"] for one in sent] == [case.processed]
        # A legacy submission without a key is not reconciled. Review reads the state before it
        # sends, and again after a lost answer.
        looks = len(about(sandbox, "result", customer))
        if backend == "legacy":
            assert looks == 0
        else:
            assert (looks > 1) == (case.lost is not None)


@states
@pytest.mark.parametrize("kind", ["reset", "hang", "html"])
def test_the_outcome_stays_unknown_where_the_result_cannot_be_read_either(
    kept: Build, sandbox: SandboxDriver, kind: str, state: str
) -> None:
    sandbox.fault("individual", kind, processed=True)
    sandbox.fault("result", "reset")
    begun = monotonic()
    app = kept(state, "review", "blind" + kind, hasty=kind in HANGS)
    response = submit(app, new_customer(), wait=WAIT)
    assert monotonic() - begun < WAIT + 1
    assert said(response) == UNKNOWN
    assert response.get_json()["retry"] == "SAME_KEY"
    assert len(sandbox.requests("individual")) == 1


@states
@pytest.mark.parametrize("case", READS, ids=str)
def test_a_read_that_fails_once_is_sent_again(
    kept: Build, sandbox: SandboxDriver, case: Case, state: str
) -> None:
    customer = new_customer()
    sandbox.review(customer, "passed")
    case.arrange(sandbox, "result", count=1)
    response = read(
        kept(state, "review", "read" + case.kind[0], hasty=case.kind in HANGS), customer
    )
    assert said(response)[:2] == FINE
    assert len(sandbox.requests("result")) == (2 if case.lost else 1)


@pytest.mark.parametrize("case", LOST_READS, ids=str)
def test_a_read_that_keeps_failing_is_answered_in_time(
    kept: Build, sandbox: SandboxDriver, case: Case
) -> None:
    case.arrange(sandbox, "result")
    group = "read" + case.kind[0]
    gateways = {state: kept(state, "review", group, hasty=case.kind in HANGS) for state in STATES}
    answers = at_once(lambda state: read(gateways[state], f"c-{state}"), STATES)
    for state, (response, seconds) in answers.items():
        assert said(response)[:2] == case.read
        assert response.get_json()["retry"] == "AFTER_DELAY"
        assert seconds < READ_DEADLINE + 1
        assert len(about(sandbox, "result", f"c-{state}")) == 3


@states
@pytest.mark.parametrize("backend", UPSTREAM)
def test_a_write_that_was_throttled_is_sent_again_after_the_pause(
    kept: Build, sandbox: SandboxDriver, backend: str, state: str
) -> None:
    sandbox.fault(UPSTREAM[backend], "throttled", retry_after=1, count=1)
    begun = monotonic()
    response = submit(kept(state, backend), new_customer(), wait=WAIT)
    assert 1 <= monotonic() - begun < WAIT + 1
    assert said(response) == DONE[backend]
    assert len(sandbox.requests(UPSTREAM[backend])) == 2
    assert sandbox.processed(UPSTREAM[backend]) == 1


@states
@pytest.mark.parametrize("backend", UPSTREAM)
def test_a_write_throttled_beyond_its_deadline_is_refused(
    kept: Build, sandbox: SandboxDriver, backend: str, state: str
) -> None:
    sandbox.fault(UPSTREAM[backend], "throttled", retry_after=30)
    begun = monotonic()
    response = submit(kept(state, backend), new_customer(), wait=WAIT)
    assert monotonic() - begun < WAIT + 1
    assert said(response) == (503, "UPSTREAM_THROTTLED", False)
    assert response.get_json()["retry"] == "AFTER_DELAY"
    assert response.headers["Retry-After"] == "30"
    assert len(sandbox.requests(UPSTREAM[backend])) == 1
    assert sandbox.processed(UPSTREAM[backend]) == 0


@states
def test_a_read_that_was_throttled_is_sent_again_after_the_pause(
    kept: Build, sandbox: SandboxDriver, state: str
) -> None:
    sandbox.fault("result", "throttled", retry_after=1, count=1)
    begun = monotonic()
    response = read(kept(state, "review", "read"), new_customer())
    assert monotonic() - begun >= 1
    assert said(response)[:2] == (200, "NOT_SUBMITTED")
    assert len(sandbox.requests("result")) == 2
