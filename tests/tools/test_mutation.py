"""How `make mutation` puts a change into a process that runs already."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tools.mutation.change import Change

BEFORE = """
LIMIT = 3


class Quota:
    most: int = 4

    @property
    def left(self) -> int:
        return self.most - 1


def pick(numbers: list[int], least: int = 2) -> list[int]:
    return sorted((one for one in numbers if one >= least), key=lambda one: -one)
"""


@pytest.mark.parametrize(
    ("old", "new", "needs_import", "lines"),
    [
        ("self.most - 1", "self.most + 1", False, [10, 9]),
        ("one >= least", "one > least", False, [14, 13]),
        ("-one", "+one", False, [14, 13]),
        ("LIMIT = 3", "LIMIT = 4", True, [2, 1]),
        ("int = 4", "int = 5", True, [6, 5]),
        ("int = 2", "int = 3", True, [13]),
    ],
)
def test_only_a_change_outside_of_functions_needs_a_new_process(
    old: str, new: str, needs_import: bool, lines: list[int]
) -> None:
    change = Change("quota.py", BEFORE, BEFORE.replace(old, new))
    assert (change.needs_import, [*change.lines]) == (needs_import, lines)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("one >= least", "one > least", ([4, 3], 3)),
        ("-one", "one", ([2, 3, 4], 3)),
        ("self.most - 1", "self.most + 1", ([4, 3, 2], 5)),
    ],
)
def test_a_change_reaches_a_function_that_is_imported_already(
    tmp_path: Path, old: str, new: str, expected: tuple[list[int], int]
) -> None:
    module = tmp_path / "quota.py"
    module.write_text(BEFORE)
    found = runpy.run_path(str(module))
    pick, quota = found["pick"], found["Quota"]
    assert (pick([1, 2, 3, 4]), quota().left) == ([4, 3, 2], 3)
    change = Change(str(module), BEFORE, BEFORE.replace(old, new))
    change.put_in([pick, quota.left.fget])
    assert (pick([1, 2, 3, 4]), quota().left) == expected
