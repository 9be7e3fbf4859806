"""Values that are found wherever they turn up: each names what it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

WORD = "QANARY"  # every value of ours begins with it, so that a part of one is found too


@dataclass(frozen=True, slots=True)
class Marker:
    """A value that may turn up nowhere but where the contract says so.

    Args:
        name: What it stands for.
        value: The whole of it.
        core: The part that is searched for; all of it if empty.
    """

    name: str
    value: str
    core: str = ""

    @property
    def sought(self) -> str:
        return self.core or self.value


class Markers:
    """The markers in use. One name is one value, always the same."""

    def __init__(self) -> None:
        self._by_name = {"any of them": Marker("any of them", WORD)}

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(tuple(self._by_name.values()))

    def mark(self, name: str, form: str = "QANARY-{core}") -> str:
        """The value of that name, in a form that its place accepts."""
        core = sha256(f"marker {name}".encode()).hexdigest()[:12]
        return self.know(name, form.format(core=core), core)

    def know(self, name: str, value: str, core: str = "") -> str:
        """Seek a value that was chosen elsewhere."""
        known = self._by_name.setdefault(name, Marker(name, value, core))
        assert known.value == value, f"{name} has two values"
        return value
