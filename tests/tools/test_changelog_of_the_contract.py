"""The changelog names what each released contract breaks of the one before."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from demo.local import PROJECT
from tests.support.programs import needed
from tools.contract_diff import RELEASED, breaks

CONTRACTS = sorted(RELEASED.glob("*.yaml"), key=lambda path: [int(n) for n in path.stem.split(".")])
CHANGELOG = (PROJECT / "CHANGELOG.md").read_text()


def listed(old: str) -> str:
    """The section that lists what breaks the contract of a version; empty if there is none."""
    _, _, rest = CHANGELOG.partition(f"### Breaks the contract of {old}\n")
    return re.split(r"^#{2,3} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def names(text: str) -> set[str]:
    """The field or parameter that a break is about: it ends the text or stands before its end."""
    return {part.removeprefix("parameter ") for part in text.split(": ")[-2:]}


@pytest.mark.parametrize(("old", "new"), [*pairwise(CONTRACTS)], ids=lambda path: path.stem)
def test_the_changelog_names_every_break_of_a_released_contract(old: Path, new: Path) -> None:
    needed("jev-oas-sentinel")
    section = listed(old.stem)
    found = breaks(old, new)
    assert found
    assert [text for text in found if not any(f"`{name}`" in section for name in names(text))] == []
