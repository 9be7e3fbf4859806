"""The docs page: Swagger UI, served by the gateway so that it works without internet."""

from flask import Blueprint, Response, redirect, url_for
from werkzeug import Response as BaseResponse

from app.api import pages
from app.api.authentication import open_to_all

SPEC = {
    "info": {
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
