"""The problem document (RFC 9457): its schema, and the document of a failure."""

import json
import math
import uuid
from http import HTTPStatus
from typing import Any

from marshmallow import fields

from app.errors import WAITING, ErrorCode, Fault, FieldError, GatewayError, Retry
from app.fields import ResponseSchema, word

MEDIA_TYPE = "application/problem+json"
FAULT_DESCRIPTION = (
    f"who must act: {Fault.CALLER} (you), {Fault.GATEWAY} (the operator of the gateway), "
    f"{Fault.UPSTREAM} (Huawei)"
)


def required_text(description: str) -> fields.String:
    """Return a field of a text that is always present, with its description."""
    return fields.String(required=True, metadata={"description": description})


class FieldErrorSchema(ResponseSchema):
    """A rule of the contract that a field of the body, a query parameter or a header breaks."""

    pointer = fields.String(
        metadata={
            "description": "the field in the request body, as an RFC 6901 pointer; absent if a "
            "parameter breaks the rule"
        }
    )
    parameter = fields.String(
        metadata={
            "description": "the name of the parameter of the path or query, or of the header; "
            "empty for the query as a whole; absent if a field of the body breaks the rule"
        }
    )
    code = required_text("the code of the rule, for programs")
    detail = required_text("the rule, for people; never the value")


class UpstreamProblemSchema(ResponseSchema):
    """The answer of Huawei."""

    code = fields.String(metadata={"description": "Huawei's error code"})
    status = fields.Integer(metadata={"description": "Huawei's HTTP status"})
    request_id = fields.String(
        metadata={"description": "Huawei's id of the request, for Huawei's support"}
    )


class ProblemSchema(ResponseSchema):
    """An RFC 9457 problem: the failure, who must act, and whether to repeat the request."""

    type = required_text("the path of the description of the code")
    title = required_text("the failure, in the same words for every problem of this code")
    status = fields.Integer(required=True)
    detail = required_text("the failure of this request")
    code = required_text("the error code, for programs; more can be added")
    request_id = required_text("the id of this request in the gateway's log")
    retry = word(Retry, "whether to repeat the request")
    fault = required_text(f"{FAULT_DESCRIPTION}; more can be added")
    upstream = fields.Nested(UpstreamProblemSchema)
    retry_after_s = fields.Integer(
        metadata={
            "description": "seconds to wait before a repeat, as in `Retry-After`; always present "
            f"if `retry` is {' or '.join(sorted(WAITING))}"
        }
    )
    errors = fields.List(fields.Nested(FieldErrorSchema))
    next = fields.String(
        metadata={
            "description": "of EVENTS_GONE: `after` of the request with which you go on, once you "
            "have looked at each of your customers"
        }
    )


_PROBLEM = ProblemSchema()


def members(error: GatewayError, write: bool, request_id: str) -> dict[str, Any]:
    """Return the members of the problem document of a failure.

    Args:
        error: The failure.
        write: Whether the operation writes; `retry` can differ for reads and writes.
        request_id: The id of the failed request.
    """
    code, upstream = error.code, error.upstream
    pause = error.retry_after
    if pause is None and (error.retry is None or error.retry in WAITING):
        pause = code.pause
    problem = {
        "type": f"/v1/errors/{code.name}",
        "title": code.title,
        "status": code.status,
        "detail": error.detail,
        "code": code.name,
        "request_id": request_id,
        "retry": (error.retry or (code.write_retry if write else code.retry)).value,
        "fault": code.fault.value,
        "upstream": upstream if upstream and upstream.status else None,
        "retry_after_s": None if pause is None else math.ceil(pause),
        "errors": error.errors or None,
        "next": error.next,
    }
    dumped: dict[str, Any] = _PROBLEM.dump(problem)
    return dumped


def sample(code: ErrorCode) -> dict[str, Any]:
    """Return the members of an example problem of this code, on a write."""
    errors: tuple[FieldError, ...] = ()
    if code is ErrorCode.VALIDATION_FAILED:
        errors = (FieldError("/document/number", "NUMBER", "The field must be 1 to 32 letters."),)
    place = "1795685400000-482913004417256" if code is ErrorCode.EVENTS_GONE else None
    error = GatewayError(code, errors=errors, next=place)
    return members(error, True, "5e1f2a77-2f0c-4d3c-9f0e-8c2a6f1f7a10")


def raw_answer(status: int) -> bytes:
    """Return the bytes of an HTTP answer to a request that did not reach Flask.

    Args:
        status: The status of gunicorn's own answer: 500 becomes INTERNAL_ERROR, any other
            BAD_REQUEST.
    """
    code = ErrorCode.INTERNAL_ERROR if status == 500 else ErrorCode.BAD_REQUEST
    request_id = str(uuid.uuid4())
    problem = members(GatewayError(code), True, request_id)
    body = json.dumps(problem).encode()
    pause = problem.get("retry_after_s")
    head = (
        f"HTTP/1.1 {code.status} {HTTPStatus(code.status).phrase}",
        "Connection: close",
        f"Content-Type: {MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {request_id}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        *([] if pause is None else [f"Retry-After: {pause}"]),
    )
    return "\r\n".join((*head, "", "")).encode() + body
