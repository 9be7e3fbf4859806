"""Marker values that can be found in any output; each names the value that it replaces."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

WORD = "QANARY"  # the prefix of every marker, so that a part of a marker is found too


@dataclass(frozen=True, slots=True)
class Marker:
    """A value that may appear only where the contract allows it.

    Args:
        name: The name of the value that it replaces.
        value: The whole marker.
        core: The part to search for; the whole value if empty.
    """

    name: str
    value: str
    core: str = ""

    @property
    def sought(self) -> str:
        return self.core or self.value


class Markers:
    """The markers in use. A name always has the same value."""

    def __init__(self) -> None:
        self._by_name = {"any of them": Marker("any of them", WORD)}

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(tuple(self._by_name.values()))

    def mark(self, name: str, form: str = "QANARY-{core}") -> str:
        """The marker of that name, in a format that its field accepts."""
        core = sha256(f"marker {name}".encode()).hexdigest()[:12]
        value = form.format(core=core)
        return self.know(name, value, core if core in value else "")

    def know(self, name: str, value: str, core: str = "") -> str:
        """Search also for a value chosen elsewhere."""
        known = self._by_name.setdefault(name, Marker(name, value, core))
        assert known.value == value, f"{name} has two values"
        return value
