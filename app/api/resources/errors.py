"""The error catalogue as a resource; the `type` of every problem links to it."""

import json
from typing import Any, NamedTuple

from flask import Response
from markupsafe import Markup, escape
from marshmallow import fields

from app.api import pages
from app.api.authentication import open_to_all
from app.api.blueprint import OpenBlueprint
from app.api.problems.document import (
    FAULT_DESCRIPTION,
    ProblemSchema,
    required_text,
    sample,
)
from app.errors import ErrorCode, Fault, GatewayError, Retry
from app.fields import ResponseSchema, word

blueprint = OpenBlueprint(
    "errors", __name__, url_prefix="/v1/errors", description="The error codes and their meaning"
)


class CatalogueEntrySchema(ResponseSchema):
    """One error code."""

    code = required_text("the error code")
    status = fields.Integer(required=True, metadata={"description": "HTTP status"})
    title = required_text("the failure in one sentence")
    retry = word(Retry, "whether to repeat a read")
    write_retry = word(Retry, "whether to repeat a write")
    fault = required_text(f"{FAULT_DESCRIPTION}; more can be added")
    explanation = required_text("the meaning of the code and the action to take")
    sample = fields.Nested(ProblemSchema(), required=True)


class CatalogueSchema(ResponseSchema):
    """All error codes."""

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


class Actor(NamedTuple):
    """Who must act on a fault, in the words of the pages."""

    name: str
    meaning: str


ACTORS = {
    Fault.CALLER: Actor(
        "You, the caller",
        "Change the request, the customer or the document, or wait.",
    ),
    Fault.GATEWAY: Actor(
        "The operator of the gateway",
        "Your request is fine. If the failure lasts, the operator must act.",
    ),
    Fault.UPSTREAM: Actor(
        "Huawei",
        "Your request and the gateway are fine. Huawei must act, or its service must recover.",
    ),
}
MEANINGS = {
    Retry.NEVER: "No: the answer would be the same.",
    Retry.AFTER_FIX: "Yes, after you correct the cause.",
    Retry.AFTER_DELAY: "Yes, after the seconds in `Retry-After`.",
    Retry.SAME_KEY: "Only with the same `Idempotency-Key`, after the seconds in `Retry-After`: the "
    "gateway then processes the request once.",
    Retry.CONTACT_OPERATOR: "Only after the operator of the gateway has acted.",
}


@blueprint.app_template_filter()
def prose(text: str) -> Markup:
    """Return a text of the catalogue as HTML; words between backticks become `code` elements."""
    parts = [
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(text.split("`"))
    ]
    return Markup("").join(parts)


def _page_of_all() -> Response:
    sections = [
        (fault, actor, [code for code in ErrorCode if code.fault is fault])
        for fault, actor in ACTORS.items()
    ]
    return pages.page("errors.html", sections=sections)


def _page_of_one(code: ErrorCode) -> Response:
    repeats = {"A read": code.retry, "A write": code.write_retry}
    if code.retry is code.write_retry:
        repeats = {"Any request": code.retry}
    return pages.page(
        "error.html",
        code=code,
        actor=ACTORS[code.fault],
        repeats=[(request, retry, MEANINGS[retry]) for request, retry in repeats.items()],
        sample=json.dumps(sample(code), indent=2),
    )


EXAMPLE = _entry(ErrorCode.CUSTOMER_NOT_FOUND)


@blueprint.after_request
def vary(response: Response) -> Response:
    """Tell caches that the answer depends on `Accept`."""
    response.vary.add("Accept")
    return response


@blueprint.get("")
@open_to_all
@blueprint.doc(operationId="listErrors", security=[])
@blueprint.response(200, CatalogueSchema(), example={"errors": [EXAMPLE]})
@blueprint.problems(ErrorCode.METHOD_NOT_ALLOWED)
def list_errors() -> Response | dict[str, Any]:
    """List all error codes.

    The `type` of a problem links to the description of its code. If `Accept` prefers
    `text/html`, as browsers do, the answer is a page.
    """
    if pages.html_preferred():
        return _page_of_all()
    return {"errors": [_entry(code) for code in ErrorCode]}


@blueprint.get("/<error_code:code>")
@open_to_all
@blueprint.doc(operationId="getError", security=[])
@blueprint.response(200, CatalogueEntrySchema(), example=EXAMPLE)
@blueprint.problems(ErrorCode.NOT_FOUND)
def get_error(code: str) -> Response | dict[str, Any]:
    """Describe one error code.

    If `Accept` prefers `text/html`, as browsers do, the answer is a page.
    """
    entry = ErrorCode.__members__.get(code.upper())
    if entry is None:
        raise GatewayError(ErrorCode.NOT_FOUND, "There is no such error code.")
    return _page_of_one(entry) if pages.html_preferred() else _entry(entry)
