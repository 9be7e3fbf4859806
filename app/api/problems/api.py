"""flask-smorest's Api with RFC 9457 problems; the only error handlers."""

import json

import flask_smorest
from apispec import APISpec
from flask import Response, current_app, g, request
from flask_smorest.utils import prepare_response
from werkzeug.exceptions import HTTPException, InternalServerError

from app.api.authentication import open_to_all
from app.api.problems.document import MEDIA_TYPE, RETRY_AFTER, ProblemSchema, members, sample
from app.api.record import Record
from app.errors import ErrorCode, GatewayError


def _respond(error: GatewayError) -> Response:
    line: Record = g.record
    line.error_code = error.code.name
    line.backend = line.backend or error.backend
    write = error.write if error.write is not None else request.method not in ("GET", "HEAD")
    problem = members(error, write, line.request_id)
    response: Response = current_app.response_class(
        json.dumps(problem), status=error.code.status, mimetype=MEDIA_TYPE
    )
    if error.code.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if "retry_after_s" in problem:
        response.headers["Retry-After"] = str(problem["retry_after_s"])
    return response


# Any request can fail with these: the default answer of the contract documents them.
ANYWHERE_PROBLEMS = (
    ErrorCode.BAD_REQUEST,
    ErrorCode.METHOD_NOT_ALLOWED,
    ErrorCode.RATE_LIMITED,
    ErrorCode.INTERNAL_ERROR,
)
_CODES = {  # by the status of an HTTPException
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.PAYLOAD_TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
}


class ProblemApi(flask_smorest.Api):
    """flask-smorest's Api; every failure is sent and documented as a problem."""

    ERROR_SCHEMA = ProblemSchema
    spec: APISpec

    def _register_responses(self) -> None:
        for code in ErrorCode:
            example = {"summary": code.title, "value": sample(code)}
            self.spec.components.example(code.name, example, lazy=True)

        # flask-smorest registers a response for each HTTP status. Here it is only the default:
        # operations document their failures with ResourceBlueprint.problems.
        response = {
            "description": "A failure",
            "schema": self.ERROR_SCHEMA,
            "examples": {code.name: code.name for code in ANYWHERE_PROBLEMS},
            "headers": RETRY_AFTER,
        }
        prepare_response(response, self.spec, MEDIA_TYPE)
        self.spec.components.response("DEFAULT_ERROR", response, lazy=True)
        # flask-smorest refers to this name for the parser's 422; the operation overrides it.
        self.spec.components.response("UNPROCESSABLE_ENTITY", response, lazy=True)

    def _register_pagination_header(self) -> None:
        """Register nothing: no operation uses flask-smorest's pagination header."""

    def _register_error_handlers(self) -> None:
        self._app.register_error_handler(HTTPException, self.handle_http_exception)
        self._app.register_error_handler(GatewayError, _respond)

    @open_to_all
    def _openapi_json(self) -> Response:
        response: Response = super()._openapi_json()
        return response

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer an exception of Flask or werkzeug with a problem.

        Examples are an unknown path, a wrong method, a body over the limit and a crash.
        """
        if isinstance(error, InternalServerError):
            return _respond(GatewayError(ErrorCode.INTERNAL_ERROR))
        response = _respond(GatewayError(_CODES.get(error.code or 0, ErrorCode.BAD_REQUEST)))
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response
