"""The error catalogue as a resource: where the `type` of every problem leads."""

from typing import Any

from marshmallow import fields

from app.authentication import open_to_all
from app.errors import ErrorCode, Fault, GatewayError, Retry
from app.fields import ResponseSchema
from app.problems import ResourceBlueprint, sample

blueprint = ResourceBlueprint(
    "errors", __name__, url_prefix="/v1/errors", description="What each error code means"
)


def _text(description: str) -> fields.String:
    return fields.String(required=True, metadata={"description": description})


class CatalogueEntrySchema(ResponseSchema):
    """One error code."""

    code = _text("the error code")
    status = fields.Integer(required=True, metadata={"description": "HTTP status"})
    title = _text("what happened")
    retry = _text("whether to repeat a read: " + ", ".join(Retry))
    write_retry = _text("whether to repeat a write: " + ", ".join(Retry))
    fault = _text("whose turn it is: " + ", ".join(Fault))
    explanation = _text("what it means and what to do")
    sample = fields.Dict(required=True, metadata={"description": "a problem of this code"})


class CatalogueSchema(ResponseSchema):
    """Every error code."""

    errors = fields.List(fields.Nested(CatalogueEntrySchema), required=True)


def _entry(code: ErrorCode) -> dict[str, Any]:
    return {
        "code": code.name,
        "status": code.status,
        "title": code.title,
        "retry": code.retry.value,
        "write_retry": code.write_retry.value,
        "fault": code.fault.value,
        "explanation": code.explanation,
        "sample": sample(code),
    }


EXAMPLE = _entry(ErrorCode.CUSTOMER_NOT_FOUND)


@blueprint.get("")
@open_to_all
@blueprint.doc(operationId="listErrors", security=[])
@blueprint.response(200, CatalogueSchema(), example={"errors": [EXAMPLE]})
@blueprint.problems(ErrorCode.METHOD_NOT_ALLOWED)
def list_errors() -> dict[str, Any]:
    """List every error code.

    The `type` of each problem leads to one of these.
    """
    return {"errors": [_entry(code) for code in ErrorCode]}


@blueprint.get("/<code>")
@open_to_all
@blueprint.doc(operationId="getError", security=[])
@blueprint.response(200, CatalogueEntrySchema(), example=EXAMPLE)
@blueprint.problems(ErrorCode.NOT_FOUND)
def get_error(code: str) -> dict[str, Any]:
    """Describe one error code."""
    if code not in ErrorCode.__members__:
        raise GatewayError(ErrorCode.NOT_FOUND, "There is no such error code.")
    return _entry(ErrorCode[code])
