"""Reads request bodies and queries strictly; every failure is a problem."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import marshmallow
from flask import Request
from webargs.flaskparser import FlaskParser

from app.errors import ErrorCode, GatewayError
from app.fields import Rule, field_errors, parameter_errors
from app.verification.backends.backend import refusal

_ONCE = Rule("REPEATED", "must not occur twice")


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is used twice")
    return members


class Parser(FlaskParser):
    """webargs' parser with stricter JSON and queries; its failures are GatewayErrors."""

    # None: the schema's own `unknown` decides whether other names are refused. webargs would
    # ignore them in a query.
    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": None}

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:
        """Return the JSON document in the body.

        Raises:
            GatewayError: UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, BAD_REQUEST or MALFORMED_JSON.
        """
        check_encoding(req)
        if not req.is_json:
            raise GatewayError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send `application/json`.")
        try:
            return json.loads(
                _body(req).decode("utf-8"),
                parse_constant=_refuse_constant,
                object_pairs_hook=_refuse_duplicates,
            )
        except (ValueError, RecursionError):
            # `from None`, because the ValueError holds the whole document.
            raise GatewayError(ErrorCode.MALFORMED_JSON) from None

    def load_querystring(self, req: Request, schema: marshmallow.Schema) -> Any:
        """Return the parameters of the query.

        Raises:
            GatewayError: VALIDATION_FAILED if a parameter occurs twice.
        """
        twice = [name for name, values in req.args.lists() if len(values) > 1]
        if twice:
            # The name of an unknown parameter is input and is not echoed.
            errors = [_ONCE.of(name if name in schema.fields else "") for name in twice]
            raise refusal(dict.fromkeys(errors))
        return super().load_querystring(req, schema)

    def handle_error(
        self,
        error: marshmallow.ValidationError,
        req: Request,
        schema: marshmallow.Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        """Raise the GatewayError that names the broken rules."""
        ((location, messages),) = error.messages_dict.items()  # webargs loads one at a time
        found = parameter_errors(messages) if location == "query" else field_errors(messages)
        raise refusal(dict.fromkeys(found)) from None


def check_encoding(req: Request) -> None:
    """Refuse a compressed body.

    Raises:
        GatewayError: UNSUPPORTED_MEDIA_TYPE.
    """
    if req.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise GatewayError(
            ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send the body without `Content-Encoding`."
        )


def _body(req: Request) -> bytes:
    """Return the whole body.

    werkzeug also returns a body that it cut at the limit, or that a lost connection cut.
    """
    body, length = req.get_data(cache=False), req.content_length
    if length is None and len(body) >= (req.max_content_length or 0):
        raise GatewayError(ErrorCode.PAYLOAD_TOO_LARGE)
    if length is not None and len(body) < length:
        raise GatewayError(ErrorCode.BAD_REQUEST)
    return body
