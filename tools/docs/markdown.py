"""The project's Markdown files: their fenced blocks, their links and their anchors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from demo.local import PROJECT

_FENCE = re.compile(r"^```(?P<about>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^()\s]+)\)")
_TARGET = re.compile(r"make ((?:[a-z-]+ ?)+)")
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


def _prose(path: Path) -> str:
    """The text without fenced blocks and inline code."""
    return re.sub(r"`[^`\n]+`", "", _FENCE.sub("", path.read_text()))


def links(path: Path) -> Iterator[str]:
    """The targets of the links of a file."""
    return (match["target"] for match in _LINK.finditer(_prose(path)))


def targets(path: Path) -> set[str]:
    """The make targets that a file names in its prose or commands."""
    quoted = re.findall(r"`([^`\n]+)`", _FENCE.sub("", path.read_text()))
    typed = [line for one in blocks(path) if one.about == "sh" for line in one.text.splitlines()]
    found = [match for text in quoted + typed if (match := _TARGET.match(text))]
    return {target for match in found for target in match[1].split()}


def ordered_anchors(path: Path) -> list[str]:
    """The anchor of each heading of a file, in the form of GitHub and in their order."""
    found: list[str] = []
    for match in _HEADING.finditer(_FENCE.sub("", path.read_text())):
        words = re.sub(r"[^\w\- ]", "", match["title"].lower()).replace(" ", "-")
        number = sum(one == words or one.startswith(f"{words}-") for one in found)
        found.append(f"{words}-{number}" if words in found else words)
    return found


def anchors(path: Path) -> set[str]:
    """The anchors of the headings of a file."""
    return set(ordered_anchors(path))
