"""The rules of lost answers are the tables of decision 0014, cell by cell and without a gateway."""

from __future__ import annotations

from itertools import product

import pytest

from app.verification.lost_answers import may_repeat, proves
from app.verification.model import Kind, Status
from tests.verification.test_lost_answers import DECISION, STATES

BACKENDS = ("legacy", "review")
KINDS = {kind.lower().replace("_", "-"): kind for kind in Kind}
UNKNOWN = "unknown"


def expected() -> dict[tuple[str, str, str, str], bool]:
    """Backend, kind, state before and state after -> whether it is proven, by the decision."""
    found = {}
    for line in DECISION.read_text().splitlines():
        if not line.startswith(("| review |", "| legacy |", "| either |")):
            continue
        backend, kinds, before, *cells = (cell.strip() for cell in line.strip("| ").split("|"))
        names = KINDS if kinds == "any" else kinds.split(", ")
        backends = BACKENDS if backend == "either" else (backend,)
        for one, kind, (after, cell) in product(backends, names, zip(STATES, cells, strict=True)):
            found[one, kind, before, after] = cell == "proven"
    return found


TABLE = expected()


def test_the_table_has_every_cell() -> None:
    assert TABLE.keys() == set(product(BACKENDS, KINDS, (*STATES, UNKNOWN), STATES))


@pytest.mark.parametrize("cell", TABLE, ids="-".join)
def test_a_state_proves_what_the_decision_says(cell: tuple[str, str, str, str]) -> None:
    backend, kind, before, after = cell
    state = None if before == UNKNOWN else Status(before)
    assert proves(backend, KINDS[kind], state, Status(after)) is TABLE[cell]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("before", [*STATES, UNKNOWN])
def test_only_a_state_that_a_legacy_call_may_have_left_forbids_the_repeat(
    backend: str, before: str
) -> None:
    forbidden = backend == "legacy" and before in ("IN_REVIEW", "VERIFIED")
    state = None if before == UNKNOWN else Status(before)
    assert may_repeat(backend, state) is not forbidden
