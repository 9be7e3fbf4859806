"""Every object of our classes that can be reached from another object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

_PLAIN = (str, bytes, int, float, bool, type(None), type)


def _parts(one: Any) -> Iterator[Any]:
    if isinstance(one, Mapping):
        yield from one.values()
    elif isinstance(one, list | tuple | set | frozenset):
        yield from one
    elif is_dataclass(one):
        yield from (getattr(one, field.name, None) for field in fields(one))
    yield from vars(one).values() if hasattr(one, "__dict__") else ()
    for kind in type(one).__mro__:
        names = getattr(kind, "__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            yield getattr(one, name, None)


def reachable(start: object) -> list[object]:
    """The object and every instance of a class that its attributes lead to.

    Plain values are omitted: some object must hold a secret. The tests assert that no such object
    shows the secret.
    """
    seen: dict[int, object] = {}
    waiting = [start]
    while waiting:
        one = waiting.pop()
        function = callable(one) and hasattr(one, "__name__")
        if id(one) in seen or isinstance(one, _PLAIN) or function:
            continue
        seen[id(one)] = one
        waiting += _parts(one)
    return [one for one in seen.values() if not isinstance(one, Mapping | list | tuple | set)]
