"""Renders docs/*.md as the pages that the gateway serves at /docs/guides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from demo.local import PROJECT
from tools.docs import markdown

DOCS = PROJECT / "docs"
PAGES = PROJECT / "app/api/pages/documents"
INDEX = "README"

_COMMENT = re.compile(r"<!--.*?-->\n*", re.DOTALL)
# Files that the gateway serves, by the links of the documents to them.
_SERVED = {"../openapi/openapi.yaml": "/openapi.yaml"}


class _Renderer(RendererHTML):
    """Renders tables and code that scroll by themselves, and pictures as their texts."""

    def table_open(self, *_: Any) -> str:
        return '<div class="wide" tabindex="0">\n<table>\n'

    def table_close(self, *_: Any) -> str:
        return "</table>\n</div>\n"

    def fence(self, *arguments: Any) -> str:
        return super().fence(*arguments).replace("<pre>", '<pre tabindex="0">', 1)

    def image(self, tokens: Sequence[Token], place: int, *_: Any) -> str:
        return f"<em>({tokens[place].content})</em>"


def _target(link: str) -> str | None:
    """The address of what a document links to; None if the gateway does not serve it."""
    name, _, anchor = link.partition("#")
    if name.startswith("https://") or not name:
        return link
    if name in _SERVED:
        return _SERVED[name]
    path = DOCS / name
    if path.parent != DOCS or path.suffix != ".md":
        return None
    return address(path) + (f"#{anchor}" if anchor else "")


def _link(tokens: list[Token]) -> None:
    """Point the links of a paragraph to what the gateway serves; drop the other links."""
    dropped: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            target = _target(str(token.attrs["href"]))
            dropped.append(target is None)
            token.attrs["href"] = target or ""
        if token.type.startswith("link_") and dropped[-1]:
            token.hidden, token.tag, token.type = True, "", "text"
            token.content = ""
        elif token.type == "link_close":
            dropped.pop()


def address(path: Path) -> str:
    """The address of the page of a document."""
    return "/docs/guides" if path.stem == INDEX else f"/docs/guides/{path.stem}"


def rendered(path: Path) -> str:
    """The page of a document, as a fragment of HTML."""
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")
    tokens = parser.parse(_COMMENT.sub("", path.read_text()))
    anchors = iter(markdown.ordered_anchors(path))
    for token in tokens:
        if token.type == "heading_open":
            token.attrs["id"] = next(anchors)
        if token.children:
            _link(token.children)
    return str(parser.renderer.render(tokens, parser.options, {}))


def documents() -> list[Path]:
    """The documents that are pages."""
    return sorted(DOCS.glob("*.md"))


def main() -> None:
    """Write every page, and remove the pages of documents that do not exist any more."""
    for old in PAGES.glob("*.html"):
        old.unlink()
    for path in documents():
        (PAGES / f"{path.stem}.html").write_text(rendered(path))


if __name__ == "__main__":
    main()
