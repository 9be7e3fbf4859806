"""Generates the parts of the documents that come from the code, and pages; run by `make docs`.

A part stands between `<!-- name: written by make docs -->` and `<!-- end of name -->`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

from demo.local import PROJECT
from tools.docs import catalogue, guides, magic, settings

DOCS = PROJECT / "docs"
QUICKSTART = DOCS / "quickstart"


def _program(name: str) -> Callable[[], str]:
    path = QUICKSTART / name
    return lambda: f"```{path.suffix[1:]} {name}\n{path.read_text().strip()}\n```"


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings.table,
    "codes": catalogue.table,
    "faults": catalogue.faults,
    "audiences": catalogue.audiences,
    "retries": catalogue.retries,
    "magic": magic.table,
    **{path.name: _program(path.name) for path in sorted(QUICKSTART.glob("*.*"))},
}

_PART = re.compile(
    r"(?P<start><!-- (?P<name>\S+): written by `make docs` -->\n).*?"
    r"(?P<end><!-- end of (?P=name) -->)",
    re.DOTALL,
)


def parts(path: Path) -> list[str]:
    """The names of the parts of a document."""
    return [match["name"] for match in _PART.finditer(path.read_text())]


def text(path: Path) -> str:
    """A document with its generated parts."""
    return _PART.sub(
        lambda match: f"{match['start']}\n{PARTS[match['name']]()}\n\n{match['end']}",
        path.read_text(),
    )


def main() -> None:
    """Write every document that has generated parts."""
    logging.disable()  # silences the gateway that tries the magic customer ids
    for path in sorted(DOCS.glob("*.md")):
        path.write_text(text(path))
    guides.main()


if __name__ == "__main__":
    main()
