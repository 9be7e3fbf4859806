"""The project's Markdown files: their fenced blocks, their prose and their anchors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from demo.local import PROJECT

_FENCE = re.compile(r"^```(?P<about>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (?P<title>.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its info string and its content."""

    file: str
    about: str
    text: str

    @property
    def name(self) -> str:
        """The key of the block in the tests: file and first line."""
        return f"{self.file}: {self.text.splitlines()[0]}"


def files() -> list[Path]:
    """Every Markdown file of the project, except in virtual environments."""
    found = [*PROJECT.glob("*.md")]
    for folder in ("app", "benchmarks", "demo", "docs", "helm", "openapi", "sandbox", "tests"):
        found += (PROJECT / folder).rglob("*.md")
    return sorted(path for path in found if "node_modules" not in path.parts)


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a file, in their order."""
    file = str(path.relative_to(PROJECT))
    return [
        Block(file, match["about"], match["text"]) for match in _FENCE.finditer(path.read_text())
    ]


def block(file: str, about: str) -> str:
    """The content of the only block of a file with this info string."""
    (found,) = [one.text for one in blocks(PROJECT / file) if one.about == about]
    return found


def prose(path: Path) -> str:
    """The text without fenced blocks."""
    return _FENCE.sub("", path.read_text())


def ordered_anchors(path: Path) -> list[str]:
    """The anchor of each heading of a file, in the form of GitHub and in their order."""
    found: list[str] = []
    for match in _HEADING.finditer(prose(path)):
        words = re.sub(r"[^\w\- ]", "", match["title"].lower()).replace(" ", "-")
        number = sum(one == words or one.startswith(f"{words}-") for one in found)
        found.append(f"{words}-{number}" if words in found else words)
    return found


def anchors(path: Path) -> set[str]:
    """The anchors of the headings of a file."""
    return set(ordered_anchors(path))
