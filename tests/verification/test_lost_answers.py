"""The proof of a lost write by the customer's state: every cell of the table of decision 0014.

Each cell is tested with its own customer, through the gateway and the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path

import pytest
from flask import Flask

from tests.support.fixtures import Build
from tests.support.patience import ONCE, said, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import CHANGE_FORM, COMPANY_FORM, PERSON_FORM, Form

pytestmark = [pytest.mark.slow, pytest.mark.long]

DECISION = Path(__file__).parents[2] / "docs/decisions/0014-what-proves-a-lost-write.md"
STATES = ("IN_REVIEW", "VERIFIED", "REJECTED", "NOT_SUBMITTED")
UNKNOWN = "unknown"
# review_result of mc_00020
RESULTS = {
    "IN_REVIEW": {"review_result": 0},
    "REJECTED": {"review_result": 1, "opinion": "Blurred."},
    "VERIFIED": {"review_result": 2},
    "NOT_SUBMITTED": {},
    UNKNOWN: "<html>",
}
KINDS = {"individual": PERSON_FORM, "enterprise": COMPANY_FORM, "enterprise-change": CHANGE_FORM}
ANSWERS = {"IN_REVIEW": (202, "IN_REVIEW", True), "VERIFIED": (201, "VERIFIED", True)} | {
    "REJECTED": (201, "REJECTED", True)
}
LOST = (504, "OUTCOME_UNKNOWN", False)
DONE = {"legacy": (201, "VERIFIED", False), "review": (202, "IN_REVIEW", False)}

_numbers = count(1)


@dataclass(frozen=True)
class Cell:
    """One cell of the table, and its customer."""

    backend: str
    form: Form
    before: str
    after: str
    proven: bool
    customer: str

    @property
    def call(self) -> str:
        """The sandbox's name for the call."""
        return "verified-info" if self.backend == "legacy" else self.form.applies


def _rows() -> Iterable[tuple[list[str], list[str], str, dict[str, bool]]]:
    """Backends, kinds and state before; for each state after, whether it proves the write."""
    for line in DECISION.read_text().splitlines():
        columns = [part.strip() for part in line.strip("|").split("|")]
        if len(columns) != 7 or columns[0] not in ("review", "legacy", "either"):
            continue
        backends = ["review", "legacy"] if columns[0] == "either" else [columns[0]]
        kinds = list(KINDS) if columns[1] == "any" else columns[1].split(", ")
        proven = {"proven": True, "no": False}
        after = {state: proven[word] for state, word in zip(STATES, columns[3:], strict=True)}
        yield backends, kinds, columns[2], after


def cells() -> list[Cell]:
    """Every cell of the table, each with a new customer."""
    return [
        Cell(backend, KINDS[kind], before, state, proven, f"cell-{next(_numbers)}")
        for backends, kinds, before, after in _rows()
        for backend, kind in product(backends, kinds)
        for state, proven in after.items()
    ]


def test_the_table_of_lost_answers_has_every_combination() -> None:
    found = [(one.backend, one.form.path, one.before, one.after) for one in cells()]
    every = product(DONE, KINDS, (*STATES, UNKNOWN), STATES)
    assert sorted(found) == sorted(every)


def shows(sandbox: SandboxDriver, cell: Cell, state: str, times: int | None = None) -> None:
    """Let Huawei report this state of the cell's customer."""
    body = RESULTS[state]
    status = 502 if state == UNKNOWN else 200
    sandbox.fault("result", "status", customer=cell.customer, status=status, body=body, count=times)


def walk(work: Callable[[Cell], None]) -> None:
    """Run the function for every cell, many concurrently."""
    with ThreadPoolExecutor(16) as threads:
        failed = [f"{cell}: {error}" for cell, error in threads.map(_tried(work), cells()) if error]
    assert not failed, "\n".join(failed)


def _tried(work: Callable[[Cell], None]) -> Callable[[Cell], tuple[Cell, str]]:
    def tried(cell: Cell) -> tuple[Cell, str]:
        try:
            work(cell)
        except AssertionError as error:
            return cell, str(error)
        return cell, ""

    return tried


@pytest.fixture
def gateways(build: Build) -> dict[str, Flask]:
    return {backend: build(verification={"backend": backend}, **ONCE) for backend in DONE}


def test_a_state_that_proves_the_lost_write_is_the_answer_of_the_same_request(
    gateways: dict[str, Flask], sandbox: SandboxDriver
) -> None:
    def work(cell: Cell) -> None:
        shows(sandbox, cell, cell.before, times=1)
        shows(sandbox, cell, cell.after)
        sandbox.fault(cell.call, "refuse", customer=cell.customer)
        answer = send(gateways, cell)
        assert answer == (ANSWERS[cell.after] if cell.proven else LOST)

    walk(work)
    assert len(sandbox.submissions()) == len(cells())
    assert sandbox.processed("verified-info") == 0


def test_a_repeat_is_answered_by_a_proving_state_and_sent_again_otherwise(
    gateways: dict[str, Flask], sandbox: SandboxDriver
) -> None:
    def work(cell: Cell) -> None:
        shows(sandbox, cell, cell.before, times=10)  # including the reads after the lost answer
        sandbox.fault(cell.call, "refuse", customer=cell.customer, count=1)
        assert send(gateways, cell) == LOST
        drain(sandbox, cell)
        shows(sandbox, cell, cell.after)
        answer = send(gateways, cell)
        assert answer == (ANSWERS[cell.after] if cell.proven else DONE[cell.backend])
        again = send(gateways, cell)
        assert again == answer

    walk(work)
    sent = [one for one in cells() if not one.proven]
    assert len(sandbox.submissions()) == len(cells()) + len(sent)


def test_without_a_record_of_an_earlier_try_the_submission_is_sent(
    gateways: dict[str, Flask], sandbox: SandboxDriver
) -> None:
    def work(cell: Cell) -> None:
        shows(sandbox, cell, cell.after)
        assert send(gateways, cell) == DONE[cell.backend]

    walk(work)
    assert len(sandbox.submissions()) == len(cells())


def send(gateways: dict[str, Flask], cell: Cell) -> tuple[int, str, bool]:
    """Submit for the cell's customer, always with the same key."""
    app, form = gateways[cell.backend], cell.form
    return said(submit(app, cell.customer, "key-1", form=form.path, body=form.body, wait=20))


def drain(sandbox: SandboxDriver, cell: Cell) -> None:
    """End the faults of the cell's customer."""
    sandbox.clear_faults(cell.customer)
