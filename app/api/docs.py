"""The contract as JSON and YAML, and the docs page: Swagger UI, which works without internet."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import yaml
from flask import Blueprint, Flask, Response, redirect, request, url_for
from werkzeug import Response as BaseResponse
from werkzeug.http import generate_etag

from app.api import contract, pages
from app.api.authentication import open_to_all

FRESH = 300  # seconds; a client may use its copy of the contract as long without asking
_WRITERS: dict[str, Callable[[Any], str]] = {
    "openapi.json": lambda document: json.dumps(document, indent=2),
    # The writer in C: the writer in Python takes a second.
    "openapi.yaml": lambda document: yaml.dump(document, Dumper=yaml.CSafeDumper),
}
_MEDIA_TYPES = {"openapi.json": "application/json", "openapi.yaml": "application/yaml"}

blueprint = Blueprint("docs", __name__)


@blueprint.get("/")
@open_to_all
def root() -> BaseResponse:
    """Redirect the gateway's bare address to the docs page."""
    return redirect(url_for(".page"), 303)


@blueprint.get("/docs")
@open_to_all
def page() -> Response:
    """Answer the docs page: Swagger UI with the contract."""
    return pages.page("docs.html", pages.SWAGGER_UI_POLICY)


@cache
def _written(name: str) -> tuple[bytes, str]:
    """The contract and its ETag, once for all: each slow reader would hold a copy."""
    content = _WRITERS[name](contract.document()).encode()
    return content, generate_etag(content)


def _serve(name: str) -> Callable[[], Response]:
    @open_to_all
    def serve() -> Response:
        """Answer the contract; 304 to a client that has this version of it."""
        content, etag = _written(name)
        response = Response(content, mimetype=_MEDIA_TYPES[name])
        response.cache_control.public = True
        response.cache_control.max_age = FRESH
        response.set_etag(etag)
        response.make_conditional(request)
        return response

    return serve


def init_app(app: Flask) -> None:
    """Serve the pages and the contract, as JSON and as YAML."""
    app.register_blueprint(blueprint)
    for name in _WRITERS:
        app.add_url_rule(f"/{name}", name.replace(".", "_"), _serve(name))
