"""flask-smorest's Api answering RFC 9457 problems; the only error handlers."""

import json
import math
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

import flask_smorest
import marshmallow
from apispec import APISpec
from flask import Request, Response, current_app, request
from flask_smorest.utils import prepare_response
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException, InternalServerError

from app.authentication import open_to_all
from app.deprecation import announce
from app.errors import ErrorCode, Fault, FieldError, GatewayError, Retry
from app.fields import ResponseSchema, field_errors
from app.observability import record
from app.partner_center import codes

MEDIA_TYPE = "application/problem+json"
View = TypeVar("View", bound=Callable[..., Any])

_fields = marshmallow.fields


def _text(description: str, **metadata: Any) -> _fields.String:
    return _fields.String(required=True, metadata={"description": description, **metadata})


class FieldErrorSchema(ResponseSchema):
    """One broken rule."""

    pointer = _text("RFC 6901 pointer to the field in the request body")
    code = _text("the rule, for programs")
    detail = _text("the rule, for people; never the value")


class UpstreamProblemSchema(ResponseSchema):
    """What Huawei answered."""

    code = _fields.String(metadata={"description": "Huawei's error code"})
    status = _fields.Integer(metadata={"description": "Huawei's HTTP status"})
    request_id = _fields.String(metadata={"description": "Huawei's id, for its support"})


class ProblemSchema(ResponseSchema):
    """An RFC 9457 problem: what happened, whose turn it is, and whether to repeat."""

    type = _text("leads to the description of the code")
    title = _text("what happened, the same for every problem of this code")
    status = _fields.Integer(required=True)
    detail = _text("what happened this time")
    code = _text("the error code, for programs; more can be added")
    request_id = _text("the id of this request in the gateway's log")
    retry = _text("whether to repeat: " + ", ".join(Retry) + "; more can be added")
    fault = _text("whose turn it is: " + ", ".join(Fault) + "; more can be added")
    upstream = _fields.Nested(UpstreamProblemSchema)
    retry_after_s = _fields.Integer(metadata={"description": "seconds to wait"})
    errors = _fields.List(_fields.Nested(FieldErrorSchema))


def _members(error: GatewayError, write: bool, request_id: str) -> dict[str, Any]:
    code = error.code
    problem: dict[str, Any] = {
        "type": f"/v1/errors/{code.name}",
        "title": code.title,
        "status": code.status,
        "detail": error.detail,
        "code": code.name,
        "request_id": request_id,
        "retry": (code.write_retry if write else code.retry).value,
        "fault": code.fault.value,
    }
    if error.upstream and error.upstream.status:
        upstream = {
            "code": error.upstream.code,
            "status": error.upstream.status,
            "request_id": error.upstream.request_id,
        }
        problem["upstream"] = {key: value for key, value in upstream.items() if value is not None}
    if error.retry_after is not None:
        problem["retry_after_s"] = math.ceil(error.retry_after)
    if error.errors:
        problem["errors"] = [
            {"pointer": one.pointer, "code": one.code, "detail": one.detail} for one in error.errors
        ]
    return problem


def sample(code: ErrorCode) -> dict[str, Any]:
    """A problem of this code, on a write, as the documentation shows it."""
    errors: tuple[FieldError, ...] = ()
    if code is ErrorCode.VALIDATION_FAILED:
        errors = (FieldError("/document/number", "NUMBER", "The field must be 1 to 32 letters."),)
    waits = code.retry is Retry.AFTER_DELAY and code.status in (429, 503)
    error = GatewayError(code, errors=errors, retry_after=3 if waits else None)
    return _members(error, True, "5e1f2a77-2f0c-4d3c-9f0e-8c2a6f1f7a10")


def unread(status: int) -> bytes:
    """The whole HTTP answer to a request that could not be read, or not be answered by Flask.

    Args:
        status: What gunicorn would answer.
    """
    code = ErrorCode.INTERNAL_ERROR if status == 500 else ErrorCode.BAD_REQUEST
    request_id = str(uuid.uuid4())
    body = json.dumps(_members(GatewayError(code), True, request_id)).encode()
    head = (
        f"HTTP/1.1 {code.status} {HTTPStatus(code.status).phrase}",
        "Connection: close",
        f"Content-Type: {MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {request_id}",
        "X-Content-Type-Options: nosniff",
    )
    return "\r\n".join((*head, "", "")).encode() + body


def _respond(error: GatewayError) -> Response:
    line = record.current()
    line.error_code = error.code.name
    line.backend = line.backend or error.backend
    write = error.write if error.write is not None else request.method not in ("GET", "HEAD")
    problem = _members(error, write, line.request_id)
    response: Response = current_app.response_class(
        json.dumps(problem), status=error.code.status, mimetype=MEDIA_TYPE
    )
    if error.code.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if "retry_after_s" in problem:
        response.headers["Retry-After"] = str(problem["retry_after_s"])
    return response


# What operations document: failures of the caller's, of its body, of what lies upstream, and
# (by the contract's default answer) of what can happen to any request.
IDENTITY_PROBLEMS = (
    ErrorCode.UNAUTHENTICATED,
    ErrorCode.FORBIDDEN,
    ErrorCode.IDENTITY_UNAVAILABLE,
)
CALLER_PROBLEMS = (*IDENTITY_PROBLEMS, ErrorCode.NOT_FOUND)
BODY_PROBLEMS = (
    ErrorCode.MALFORMED_JSON,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.VALIDATION_FAILED,
)
ANYWHERE_PROBLEMS = (
    ErrorCode.BAD_REQUEST,
    ErrorCode.METHOD_NOT_ALLOWED,
    ErrorCode.RATE_LIMITED,
    ErrorCode.INTERNAL_ERROR,
)
UPSTREAM_PROBLEMS = frozenset(codes.COMMON.values()) | {
    ErrorCode.ACCESS_KEY_LOCKED,
    ErrorCode.CIRCUIT_OPEN,
    ErrorCode.CLOCK_SKEWED,
    ErrorCode.DEADLINE_EXCEEDED,
    ErrorCode.OVERLOADED,
    ErrorCode.UPSTREAM_MALFORMED,
    ErrorCode.UPSTREAM_UNMAPPED,
    ErrorCode.UPSTREAM_UNREACHABLE,
}

_STATUSES = {
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.PAYLOAD_TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
}


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


class Parser(FlaskParser):
    """webargs' parser, strict about JSON and query, whose failures are problems."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012 - webargs declares it so
        "json": None,  # as the schema says
        "query": marshmallow.RAISE,
    }

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:
        """The body of a request."""
        if not req.is_json:
            raise GatewayError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send `application/json`.")
        content = req.get_data(cache=False)
        # werkzeug cuts a body of untold length at the limit without a word.
        if req.content_length is None and len(content) >= (req.max_content_length or 0):
            raise GatewayError(ErrorCode.PAYLOAD_TOO_LARGE)
        try:
            return json.loads(
                content.decode("utf-8"),
                parse_constant=_refuse_constant,
                object_pairs_hook=_refuse_duplicates,
            )
        except (ValueError, RecursionError):
            # `from None`: the error holds the whole document.
            raise GatewayError(ErrorCode.MALFORMED_JSON) from None

    def load_querystring(self, req: Request, schema: marshmallow.Schema) -> Any:
        """The query of a request; a name given twice would be a contradiction."""
        if any(len(values) > 1 for _, values in req.args.lists()):
            raise GatewayError(ErrorCode.VALIDATION_FAILED, "A query parameter is given twice.")
        return super().load_querystring(req, schema)

    def handle_error(self, error: marshmallow.ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Name every broken rule, none of the values."""
        # webargs keys the messages by the place that was read ("json", "query").
        places = error.normalized_messages().values()  # type: ignore[no-untyped-call]
        errors = tuple(dict.fromkeys(one for place in places for one in field_errors(place)))
        raise GatewayError(ErrorCode.VALIDATION_FAILED, errors=errors) from None


class ResourceBlueprint(flask_smorest.Blueprint):
    """flask-smorest's Blueprint with our parser, which can document problems."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.after_request(announce)

    def problems(self, *codes: ErrorCode | Iterable[ErrorCode]) -> Callable[[View], View]:
        """Document the problems a view can answer, by status, with an example for each code."""
        listed: set[ErrorCode] = set()
        for entry in codes:
            listed |= {entry} if isinstance(entry, ErrorCode) else set(entry)

        def decorate(view: View) -> View:
            for status in sorted({code.status for code in listed}):
                entries = [code for code in ErrorCode if code in listed and code.status == status]
                view = self.alt_response(
                    status,
                    schema=ProblemSchema,
                    content_type=MEDIA_TYPE,
                    description=", ".join(code.name for code in entries),
                    examples={code.name: code.name for code in entries},
                )(view)
            return view

        return decorate


class ProblemApi(flask_smorest.Api):
    """flask-smorest's Api whose every failure is a problem, sent and documented as such."""

    ERROR_SCHEMA = ProblemSchema
    spec: APISpec

    def _register_responses(self) -> None:
        for code in ErrorCode:
            example = {"summary": code.title, "value": sample(code)}
            self.spec.components.example(code.name, example, lazy=True)

        # Only the default: operations document their failures by ResourceBlueprint.problems.
        response = {
            "description": "A failure",
            "schema": self.ERROR_SCHEMA,
            "examples": {code.name: code.name for code in ANYWHERE_PROBLEMS},
        }
        prepare_response(response, self.spec, MEDIA_TYPE)
        self.spec.components.response("DEFAULT_ERROR", response, lazy=True)
        # The parser's 422 is documented by the operation.
        self.spec.components.response("UNPROCESSABLE_ENTITY", response, lazy=True)

    def _register_etag_headers(self) -> None:
        """Nothing: no operation uses them."""

    def _register_pagination_header(self) -> None:
        """Nothing: no operation uses it."""

    def _register_error_handlers(self) -> None:
        self._app.register_error_handler(HTTPException, self.handle_http_exception)
        self._app.register_error_handler(GatewayError, _respond)

    @open_to_all
    def _openapi_json(self) -> Response:
        response: Response = super()._openapi_json()
        return response

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer what Flask and werkzeug raise: no route, wrong method, too long, a crash."""
        if isinstance(error, InternalServerError):
            return _respond(GatewayError(ErrorCode.INTERNAL_ERROR))
        response = _respond(GatewayError(_STATUSES.get(error.code or 0, ErrorCode.BAD_REQUEST)))
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response
