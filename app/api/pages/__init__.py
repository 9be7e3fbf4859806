"""Pages that people read, and the headers that hold browsers to what the gateway needs."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    make_response,
    render_template,
    request,
    send_from_directory,
)

from app.api.authentication import open_to_all

# No page can frame an answer, and no answer can load or send anything; pages are allowed more.
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
EVERY_ANSWER = {
    "Content-Security-Policy": _NOTHING,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
EVERY_PAGE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
READING = f"{_NOTHING}; style-src 'self'; img-src 'self'"
# Swagger UI runs, asks the gateway, and has pictures in its style sheet.
TRYING_OUT = f"{READING} data:; script-src 'self'; connect-src 'self'"

_OWN = Path(__file__).parent / "static"
with as_file(files("flask_swagger_ui") / "dist") as _folder:
    _SWAGGER_UI: Path = _folder
_ASSETS = {
    "docs.js": _OWN,
    "icon.svg": _OWN,
    "pages.css": _OWN,
    "swagger-ui-bundle.js": _SWAGGER_UI,
    "swagger-ui.css": _SWAGGER_UI,
}

blueprint = Blueprint("pages", __name__, template_folder="templates")


@blueprint.get("/docs/assets/<name>")
@open_to_all
def asset(name: str) -> Response:
    """A file that a page loads: one of ours or of Swagger UI's, never one from elsewhere."""
    if name not in _ASSETS:
        abort(404)
    return send_from_directory(_ASSETS[name], name)


def wanted() -> bool:
    """Whether who asks would rather have a page than JSON, as browsers do and programs do not."""
    json, html = "application/json", "text/html"
    return request.accept_mimetypes.best_match([json, html], json) == html


def page(template: str, policy: str = READING, **context: Any) -> Response:
    """A page from its template, allowed to load what the policy says."""
    response = make_response(render_template(template, **context))
    response.headers.update(EVERY_PAGE)
    response.headers["Content-Security-Policy"] = policy
    return response


def protect(response: Response) -> Response:
    """The hook that adds the headers which protect browsers, where a view set none."""
    given = {name for name, _ in response.headers}
    for name, value in EVERY_ANSWER.items():
        if name not in given:
            response.headers.add(name, value)
    return response


def init_app(app: Flask) -> None:
    """Serve the files that pages load."""
    app.register_blueprint(blueprint)
