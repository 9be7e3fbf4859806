"""flask-smorest's Api with RFC 9457 problems; the only error handlers."""

import json
from typing import Any

import flask_smorest
from apispec import APISpec
from flask import Response, current_app, g, request
from werkzeug.exceptions import HTTPException, InternalServerError

from app.api import openapi, pages
from app.api.problems import responses
from app.api.problems.document import MEDIA_TYPE, ProblemSchema, members
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


class ProblemApi(flask_smorest.Api):
    """flask-smorest's Api; every failure is sent and documented as a problem."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = responses.DEFAULT
    spec: APISpec

    def _init_spec(self, **kwargs: Any) -> None:
        super()._init_spec(flask_plugin=openapi.OrderedParameters(), **kwargs)

    def _register_responses(self) -> None:
        openapi.register(self)
        responses.register(self.spec)

    def _register_pagination_header(self) -> None:
        """Register nothing: no operation uses flask-smorest's pagination header."""

    def _register_error_handlers(self) -> None:
        self._app.register_error_handler(HTTPException, self.handle_http_exception)
        self._app.register_error_handler(GatewayError, _respond)

    def handle_http_exception(self, error: HTTPException) -> Response:
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
