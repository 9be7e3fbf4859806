"""The docs page: Swagger UI with assets of its own, so that it works without internet."""

from importlib.resources import as_file, files
from pathlib import Path

from flask import Blueprint, Response, send_from_directory

from app.authentication import open_to_all

SPEC = {
    "info": {
        "description": "The one way from internal services to Huawei Cloud's Partner Center.\n\n"
        "Every failure is an RFC 9457 problem with an error `code`, whose turn it is (`fault`) "
        "and whether to repeat (`retry`); its `type` leads to what the code means. Requests are "
        "closed: a field that is not in the contract is refused. Answers are open: ignore what "
        "you do not know, enum values included.",
        "license": {"name": "Proprietary", "url": "https://example.com/partner-gateway"},
    },
    "servers": [{"url": "/"}],
    "components": {
        "securitySchemes": {
            "callerKey": {
                "type": "http",
                "scheme": "bearer",
                "description": "the key that the operator gave to your service",
            }
        }
    },
}
ASSETS_PATH = "/docs/assets/"

blueprint = Blueprint("docs", __name__)
with as_file(files("flask_swagger_ui") / "dist") as _folder:
    _DIST: Path = _folder


@blueprint.get(f"{ASSETS_PATH}<path:name>")
@open_to_all
def asset(name: str) -> Response:
    """One of Swagger UI's own files."""
    return send_from_directory(_DIST, name)
