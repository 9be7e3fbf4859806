"""Every link between the project's documents has a target."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from demo.local import PROJECT
from tools.docs import markdown

LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^()\s]+)\)")
FILES = {str(path.relative_to(PROJECT)): path for path in markdown.files()}


def links(path: Path) -> Iterator[str]:
    """The targets of the links of a file, but for those in code."""
    text = re.sub(r"`[^`\n]+`", "", markdown.prose(path))
    return (match["target"] for match in LINK.finditer(text))


def broken(path: Path) -> list[str]:
    """The links of a file whose file or heading does not exist."""
    found = []
    for link in links(path):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / unquote(name)).resolve() if name else path
        if not target.exists() or (anchor and anchor not in markdown.anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_link_of_the_documents_has_a_target(name: str) -> None:
    assert broken(FILES[name]) == []


def test_the_check_of_links_finds_the_documents_and_their_links() -> None:
    assert {"README.md", "CONTRIBUTING.md", "docs/README.md", "helm/README.md"} <= FILES.keys()
    assert sum(1 for path in FILES.values() for _ in links(path)) > 50


def test_the_check_of_links_notices_a_broken_link(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n## What's `new`?\n\n[a](page.md) [b](#whats-new) [c](none.md) [d](#none)\n"
        "[e](page.md#a-page) [f](page.md#b-page) ![g](g.png) `[h](h.md)`\n\n```\n[i](i.md)\n```\n"
    )
    assert broken(page) == ["none.md", "#none", "page.md#b-page", "g.png"]


def test_every_page_of_the_docs_is_in_the_index() -> None:
    index = PROJECT / "docs/README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    pages = {path.resolve() for path in (PROJECT / "docs").glob("*.md")} - {index.resolve()}
    assert pages <= linked
