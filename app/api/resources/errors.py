"""The error catalogue as a resource: where the `type` of every problem leads."""

import json
from typing import Any, NamedTuple

from flask import Response
from markupsafe import Markup, escape
from marshmallow import fields

from app.api import pages
from app.api.authentication import open_to_all
from app.api.problems import ResourceBlueprint
from app.api.problems.document import sample
from app.errors import ErrorCode, Fault, GatewayError, Retry
from app.fields import ResponseSchema

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


class Turn(NamedTuple):
    """Whose turn it is, in the words of the pages."""

    fault: Fault
    whose: str
    meaning: str


TURNS = {
    turn.fault: turn
    for turn in (
        Turn(
            Fault.CALLER,
            "Yours, the caller's",
            "The request, the customer or the document has to change, or you have to wait.",
        ),
        Turn(
            Fault.GATEWAY,
            "The gateway's operator's",
            "Your request was fine. If it does not pass by itself, the operator has to act.",
        ),
        Turn(
            Fault.UPSTREAM,
            "Huawei's",
            "Your request was fine and so was the gateway's. Huawei did not do its part.",
        ),
    )
}
MEANINGS = {
    Retry.NEVER: "No: the answer would be the same.",
    Retry.AFTER_FIX: "Yes, once what is wrong has been put right.",
    Retry.AFTER_DELAY: "Yes, after a pause as long as `Retry-After` says.",
    Retry.SAME_KEY: "With the same `Idempotency-Key` only, after `Retry-After`: it is done once.",
    Retry.CONTACT_OPERATOR: "Not before the operator of the gateway has acted.",
}


@blueprint.app_template_filter()
def prose(text: str) -> Markup:
    """A text of the catalogue for a page: what stands between backticks is code."""
    parts = [
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(text.split("`"))
    ]
    return Markup("").join(parts)


def _page_of_all() -> Response:
    by_turn = {
        turn: [code for code in ErrorCode if code.fault is fault] for fault, turn in TURNS.items()
    }
    return pages.page("errors.html", by_turn=by_turn)


def _page_of_one(code: ErrorCode) -> Response:
    repeats = {"A read": code.retry, "A write": code.write_retry}
    if code.retry is code.write_retry:
        repeats = {"Any request": code.retry}
    return pages.page(
        "error.html",
        code=code,
        turn=TURNS[code.fault],
        repeats=[(request, retry, MEANINGS[retry]) for request, retry in repeats.items()],
        sample=json.dumps(sample(code), indent=2),
    )


EXAMPLE = _entry(ErrorCode.CUSTOMER_NOT_FOUND)


@blueprint.after_request
def vary(response: Response) -> Response:
    """Tell caches that programs and browsers get different answers."""
    response.vary.add("Accept")
    return response


@blueprint.get("")
@open_to_all
@blueprint.doc(operationId="listErrors", security=[])
@blueprint.response(200, CatalogueSchema(), example={"errors": [EXAMPLE]})
@blueprint.problems(ErrorCode.METHOD_NOT_ALLOWED)
def list_errors() -> Response | dict[str, Any]:
    """List every error code.

    The `type` of each problem leads to one of these. A browser, which asks for `text/html`, gets
    a page instead.
    """
    if pages.wanted():
        return _page_of_all()
    return {"errors": [_entry(code) for code in ErrorCode]}


@blueprint.get("/<code>")
@open_to_all
@blueprint.doc(operationId="getError", security=[])
@blueprint.response(200, CatalogueEntrySchema(), example=EXAMPLE)
@blueprint.problems(ErrorCode.NOT_FOUND)
def get_error(code: str) -> Response | dict[str, Any]:
    """Describe one error code.

    A browser, which asks for `text/html`, gets a page instead.
    """
    if code not in ErrorCode.__members__:
        raise GatewayError(ErrorCode.NOT_FOUND, "There is no such error code.")
    entry = ErrorCode[code]
    return _page_of_one(entry) if pages.wanted() else _entry(entry)
