"""The rows of a drill's table."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a figure, its value, and whether the drill fails by it."""

    figure: str
    value: str | int
    failed: bool = False


def none(figure: str, number: int) -> Row:
    """A row whose number must be 0."""
    return Row(figure, number, number > 0)


def seconds(figure: str, value: float, limit: float = float("inf")) -> Row:
    """A row with a time that must not be longer than the limit."""
    return Row(figure, f"{value:.2f} s", value > limit)


def report(title: str, rows: Iterable[Row]) -> bool:
    """Print a table. Returns whether every limit was kept."""
    sys.stdout.write(f"\n{title}\n\n| figure | value |\n|---|---|\n")
    good = True
    for row in rows:
        sys.stdout.write(f"| {row.figure} | {row.value}{' **failed**' if row.failed else ''} |\n")
        good = good and not row.failed
    sys.stdout.flush()
    return good
