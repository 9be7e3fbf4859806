"""The problem document (RFC 9457): its schema, and how a failure becomes one."""

import json
import math
import uuid
from http import HTTPStatus
from typing import Any

from marshmallow import fields

from app.errors import WAITING, ErrorCode, Fault, FieldError, GatewayError, Retry
from app.fields import ResponseSchema

MEDIA_TYPE = "application/problem+json"


def _text(description: str, **metadata: Any) -> fields.String:
    return fields.String(required=True, metadata={"description": description, **metadata})


class FieldErrorSchema(ResponseSchema):
    """One broken rule."""

    pointer = _text("RFC 6901 pointer to the field in the request body")
    code = _text("the rule, for programs")
    detail = _text("the rule, for people; never the value")


class UpstreamProblemSchema(ResponseSchema):
    """What Huawei answered."""

    code = fields.String(metadata={"description": "Huawei's error code"})
    status = fields.Integer(metadata={"description": "Huawei's HTTP status"})
    request_id = fields.String(metadata={"description": "Huawei's id, for its support"})


class ProblemSchema(ResponseSchema):
    """An RFC 9457 problem: what happened, whose turn it is, and whether to repeat."""

    type = _text("leads to the description of the code")
    title = _text("what happened, the same for every problem of this code")
    status = fields.Integer(required=True)
    detail = _text("what happened this time")
    code = _text("the error code, for programs; more can be added")
    request_id = _text("the id of this request in the gateway's log")
    retry = _text("whether to repeat: " + ", ".join(Retry) + "; more can be added")
    fault = _text("whose turn it is: " + ", ".join(Fault) + "; more can be added")
    upstream = fields.Nested(UpstreamProblemSchema)
    retry_after_s = fields.Integer(
        metadata={
            "description": "seconds to wait before a repeat, as in `Retry-After`; always there "
            f"where `retry` is {' or '.join(sorted(WAITING))}"
        }
    )
    errors = fields.List(fields.Nested(FieldErrorSchema))


_PROBLEM = ProblemSchema()


def members(error: GatewayError, write: bool, request_id: str) -> dict[str, Any]:
    """The members of the document that tells of a failure.

    Args:
        error: The failure.
        write: Whether the operation writes, which decides the advice on repeating.
        request_id: The id of the request that failed.
    """
    code, upstream = error.code, error.upstream
    pause = code.pause if error.retry_after is None else error.retry_after
    problem = {
        "type": f"/v1/errors/{code.name}",
        "title": code.title,
        "status": code.status,
        "detail": error.detail,
        "code": code.name,
        "request_id": request_id,
        "retry": (code.write_retry if write else code.retry).value,
        "fault": code.fault.value,
        "upstream": upstream if upstream and upstream.status else None,
        "retry_after_s": None if pause is None else math.ceil(pause),
        "errors": error.errors or None,
    }
    dumped: dict[str, Any] = _PROBLEM.dump(problem)
    return dumped


def sample(code: ErrorCode) -> dict[str, Any]:
    """A problem of this code, on a write, as the documentation shows it."""
    errors: tuple[FieldError, ...] = ()
    if code is ErrorCode.VALIDATION_FAILED:
        errors = (FieldError("/document/number", "NUMBER", "The field must be 1 to 32 letters."),)
    error = GatewayError(code, errors=errors)
    return members(error, True, "5e1f2a77-2f0c-4d3c-9f0e-8c2a6f1f7a10")


def unread(status: int) -> bytes:
    """The whole HTTP answer to a request that could not be read, or not be answered by Flask.

    Args:
        status: What gunicorn would answer.
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
