"""The docs page: Swagger UI with assets of its own, so that it works without internet."""

from flask import Blueprint, Response, redirect, url_for
from werkzeug import Response as BaseResponse

from app.api import pages
from app.api.authentication import open_to_all

SPEC = {
    "info": {
        "description": "The one way from internal services to Huawei Cloud's Partner Center.\n\n"
        "Every failure is an RFC 9457 problem with an error `code`, whose turn it is (`fault`) "
        "and whether to repeat (`retry`); its `type` leads to what the code means, and "
        "[/v1/errors](/v1/errors) lists them all. Requests are closed: a field that is not in the "
        "contract is refused. Answers are open: ignore what you do not know, enum values "
        "included.",
    },
    "servers": [{"url": "/"}],
    "components": {
        "securitySchemes": {
            "callerKey": {
                "type": "http",
                "scheme": "bearer",
                "description": "the key that the operator gave to your service, or the token of "
                "its Kubernetes service account or of the identity provider",
            }
        }
    },
}

blueprint = Blueprint("docs", __name__)


@blueprint.get("/")
@open_to_all
def root() -> BaseResponse:
    """Lead to the docs whoever has only the gateway's address."""
    return redirect(url_for(".page"), 303)


@blueprint.get("/docs")
@open_to_all
def page() -> Response:
    """Swagger UI, with the contract."""
    return pages.page("docs.html", pages.TRYING_OUT)
