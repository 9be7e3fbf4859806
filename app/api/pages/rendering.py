"""Pages for people, and the security headers of every answer."""

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

# An answer may load and send nothing, and no page may frame it. Pages get a wider policy.
_DENY_ALL = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
ANSWER_HEADERS = {
    "Content-Security-Policy": _DENY_ALL,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
PAGE_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
PAGE_POLICY = f"{_DENY_ALL}; style-src 'self'; img-src 'self'"
# Swagger UI is a script that calls the gateway, and its style sheet has `data:` images.
SWAGGER_UI_POLICY = f"{PAGE_POLICY} data:; script-src 'self'; connect-src 'self'"

_OURS = Path(__file__).parent / "static"
with as_file(files("flask_swagger_ui") / "dist") as _folder:
    _SWAGGER_UI: Path = _folder
_ASSETS = {
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


def html_preferred() -> bool:
    """Return True if `Accept` prefers HTML to JSON, as browsers do and programs do not."""
    json, html = "application/json", "text/html"
    return request.accept_mimetypes.best_match([json, html], json) == html


def page(template: str, policy: str = PAGE_POLICY, **context: Any) -> Response:
    """Return a page.

    Args:
        template: The name of its template.
        policy: Its Content-Security-Policy.
        context: The variables of the template.
    """
    response = make_response(render_template(template, **context))
    response.headers.update(PAGE_HEADERS)
    response.headers["Content-Security-Policy"] = policy
    return response


def protect(response: Response) -> Response:
    """The hook that adds the headers which protect browsers, where a view set none."""
    for name, value in ANSWER_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def init_app(app: Flask) -> None:
    """Serve the files that pages load."""
    app.register_blueprint(blueprint)
