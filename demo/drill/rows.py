"""The rows of a drill's table."""

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
