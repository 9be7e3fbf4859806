"""The guides: pages of the documents in docs/, rendered by `make docs`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from flask import Blueprint, Response, abort
from markupsafe import Markup

from app.api.authentication import open_to_all
from app.api.pages.rendering import page

INDEX = "README"


class Guide(NamedTuple):
    """A guide.

    Args:
        title: The text of its heading.
        content: The HTML below the page's navigation.
    """

    title: str
    content: Markup


def _read(path: Path) -> Guide:
    content = path.read_text()
    heading = re.search(r"<h1[^>]*>(.*)</h1>", content)
    # The content is the project's own, rendered at build time.
    title = Markup(heading[1] if heading else "").striptags()  # noqa: S704
    return Guide(title, Markup(content))  # noqa: S704


_FOLDER = Path(__file__).parent / "documents"
GUIDES: Mapping[str, Guide] = {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.html"))}

blueprint = Blueprint("guides", __name__, url_prefix="/docs/guides")


@blueprint.get("")
@open_to_all
def index() -> Response:
    """Answer the list of the guides."""
    return page("guide.html", guide=GUIDES[INDEX])


@blueprint.get("/<name>")
@open_to_all
def guide(name: str) -> Response:
    """Answer a guide; 404 if there is none of this name."""
    if name not in GUIDES:
        abort(404)
    return page("guide.html", guide=GUIDES[name])
