"""The files that pages load: scripts, style sheets, an icon."""

from importlib.resources import as_file, files
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, send_from_directory

from app.api.authentication import open_to_all
from app.api.pages import guides

_OURS = Path(__file__).parent / "static"
with as_file(files("flask_swagger_ui") / "dist") as _folder:
    _SWAGGER_UI: Path = _folder
_ASSETS = {
    "docs.css": _OURS,
    "docs.js": _OURS,
    "icon.svg": _OURS,
    "pages.css": _OURS,
    "swagger-ui-bundle.js": _SWAGGER_UI,
    "swagger-ui.css": _SWAGGER_UI,
}

blueprint = Blueprint("pages", __name__, template_folder="templates")


@blueprint.get("/docs/assets/<name>")
@open_to_all
def asset(name: str) -> Response:
    """Answer a file that a page loads: one of ours or of Swagger UI; otherwise 404."""
    if name not in _ASSETS:
        abort(404)
    return send_from_directory(_ASSETS[name], name)


def init_app(app: Flask) -> None:
    """Serve the guides, and the files that pages load."""
    app.register_blueprint(blueprint)
    app.register_blueprint(guides.blueprint)
