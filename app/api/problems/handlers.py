"""The error handlers: every failure is answered as an RFC 9457 problem."""

import json

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException, InternalServerError

from app.api import pages
from app.api.problems.document import MEDIA_TYPE, members
from app.api.record import Record
from app.errors import ErrorCode, GatewayError


def _respond(error: GatewayError) -> Response:
    line: Record = g.record
    line.error_code = error.code.name
    line.backend = line.backend or error.backend
    if error.code is ErrorCode.NOT_FOUND and pages.html_preferred():
        return pages.not_found(error)
    write = error.write if error.write is not None else request.method not in ("GET", "HEAD")
    problem = members(error, write, line.request_id)
    response: Response = current_app.response_class(
        json.dumps(problem), status=error.code.status, mimetype=MEDIA_TYPE
    )
    if error.code is ErrorCode.NOT_FOUND:
        response.vary.add("Accept")
    if error.code.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if "retry_after_s" in problem:
        response.headers["Retry-After"] = str(problem["retry_after_s"])
    return response


_CODES = {  # by the status of an HTTPException
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.PAYLOAD_TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
}


def _answer(error: HTTPException) -> Response:
    """Answer an exception of Flask or werkzeug with a problem.

    Examples are an unknown path, a wrong method, a body over the limit and a crash.
    """
    if isinstance(error, InternalServerError):
        return _respond(GatewayError(ErrorCode.INTERNAL_ERROR))
    code = _CODES.get(error.code or 0, ErrorCode.BAD_REQUEST)
    response = _respond(GatewayError(code))
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def init_app(app: Flask) -> None:
    """Register the only error handlers of the app."""
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(GatewayError, _respond)
