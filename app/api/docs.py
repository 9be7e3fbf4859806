"""The contract as JSON and YAML, and the docs page: Swagger UI, which works without internet."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import yaml
from flask import Blueprint, Flask, Response, redirect, request, url_for
from werkzeug import Response as BaseResponse

from app.api import pages
from app.api.authentication import open_to_all
from app.api.problems import ProblemApi

SPEC = {
    "info": {
        "contact": {"name": "The operator of the gateway"},
        "license": {"name": "For internal use only"},
        "description": "Internal services call Huawei Cloud's Partner Center through this "
        "gateway.\n\n"
        "Every failure is an RFC 9457 problem. It has an error `code`; `fault` says who must act, "
        "and `retry` whether to repeat the request. Its `type` links to the description of the "
        "code; [/v1/errors](/v1/errors) lists all codes. Requests are closed: the gateway refuses "
        "a field that is not in the contract. Answers are open: ignore fields and enum values "
        "that you do not know.",
    },
    "servers": [{"url": "/"}],
    "components": {
        "securitySchemes": {
            "callerKey": {
                "type": "http",
                "scheme": "bearer",
                "description": "the key that the operator gave to your service, or a token of its "
                "Kubernetes service account or of the identity provider",
            }
        }
    },
}

FRESH = 300  # seconds; a client may use its copy of the contract as long without asking
_WRITERS: dict[str, Callable[[Any], str]] = {
    "openapi.json": lambda contract: json.dumps(contract, indent=2),
    # The writer in C: the writer in Python takes a second.
    "openapi.yaml": lambda contract: yaml.dump(contract, Dumper=yaml.CSafeDumper),
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


def init_app(app: Flask, api: ProblemApi) -> None:
    """Serve the pages and the contract, as JSON and as YAML."""
    app.register_blueprint(blueprint)

    @cache
    def written(name: str) -> str:
        return _WRITERS[name](api.spec.to_dict())

    def serve(name: str) -> Callable[[], Response]:
        @open_to_all
        def contract() -> Response:
            """Answer the contract; 304 to a client that has this version of it."""
            response = Response(written(name), mimetype=_MEDIA_TYPES[name])
            response.cache_control.public = True
            response.cache_control.max_age = FRESH
            response.add_etag()
            response.make_conditional(request)
            return response

        return contract

    for name in _WRITERS:
        app.add_url_rule(f"/{name}", name.replace(".", "_"), serve(name))
