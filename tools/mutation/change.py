"""One change of a module, and how it is put into a process that has imported the module."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from difflib import unified_diff
from itertools import zip_longest
from pathlib import Path
from types import CodeType, FunctionType
from typing import NamedTuple


class Change(NamedTuple):
    """A module's text before and after one change."""

    module: str
    before: str
    after: str

    @property
    def lines(self) -> Iterator[int]:
        """The first line that differs, and those before it in its function, backwards.

        A test that runs the first line of a statement runs all of it.
        """
        lines = self.before.splitlines()
        pairs = zip_longest(lines, self.after.splitlines())
        first = next(number for number, (one, other) in enumerate(pairs) if one != other)
        for number in range(first, -1, -1):
            yield number + 1
            if lines[number].lstrip().startswith(("def ", "async def ", "class ")):
                return

    @property
    def diff(self) -> str:
        """What a reader needs to see of it."""
        lines = unified_diff(
            self.before.splitlines(), self.after.splitlines(), self.module, n=1, lineterm=""
        )
        return "\n".join(line for line in lines if not line.startswith("+++"))

    @property
    def needs_import(self) -> bool:
        """Whether it changes what the module does while it is imported, and not functions only."""
        before, after = self._codes(self.before), self._codes(self.after)
        return len(before) != len(after) or any(
            not one.co_flags & inspect.CO_OPTIMIZED and _does(one) != _does(other)
            for one, other in zip(before, after, strict=True)
        )

    def put_in(self, functions: Iterable[FunctionType]) -> None:
        """Give those of the functions that are the module's the changed code."""
        codes = dict(zip(self._codes(self.before), self._codes(self.after), strict=True))
        name = str(Path(self.module).resolve())
        for function in functions:
            if function.__code__.co_filename == name:
                function.__code__ = codes[function.__code__]

    def _codes(self, text: str) -> list[CodeType]:
        return list(_inner(compile(text, self.module, "exec", dont_inherit=True)))


def _inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _inner(constant)


def _does(code: CodeType) -> tuple[object, ...]:
    """What the code does by itself, without the functions and classes in it."""
    constants = [each for each in code.co_consts if not isinstance(each, CodeType)]
    return code.co_code, code.co_names, repr(constants)
