"""Which changes `make mutation` makes by leaving a part out, and which it takes for the same."""

from __future__ import annotations

import pytest

from tools.mutation.parts import meaning, without_a_part


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("log.clear()\n", ["pass\n"]),
        ("kept = log.clear()\n", []),
        ('é = {"ü", "x", "y"}\n', ['é = {"x", "y"}\n', 'é = {"ü", "y"}\n', 'é = {"ü", "x"}\n']),
        ('one = {"a": 1, "b": 2}\n', ['one = {"b": 2}\n', 'one = {"a": 1}\n']),
        ('one = {**other, "b": 2}\n', ['one = {"b": 2}\n', "one = {**other}\n"]),
        ('one = {\n    "a": 1,\n}\n', ["one = {\n    }\n"]),
        ("if late:\n    log.clear()\n", ["if late:\n    pass\n"]),
    ],
)
def test_a_change_leaves_one_part_out(source: str, expected: list[str]) -> None:
    assert [*without_a_part(source)] == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("left = 1", "left = 1  # second", True),
        ("def left(used: int) -> int:\n    return 1", "def left(used):\n    return 1", True),
        ("left: int = 1", "left: str = 1", True),
        ("if not not late: stop()", "if late: stop()", True),
        ("if not late: stop()", "if late: stop()", False),
        ("left = 1", "left = 2", False),
    ],
)
def test_changes_of_the_same_meaning_are_tried_once(one: str, other: str, same: bool) -> None:
    assert (meaning(one) == meaning(other)) is same


def test_what_is_no_python_is_no_change() -> None:
    assert meaning("one = (/parts, end)") is None
