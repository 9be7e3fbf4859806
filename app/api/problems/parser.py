"""How request bodies and queries are read: strictly, and failing with a problem."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import marshmallow
from flask import Request
from webargs.flaskparser import FlaskParser

from app.errors import ErrorCode, GatewayError
from app.fields import field_errors
from app.verification.backends.backend import refusal


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


class Parser(FlaskParser):
    """webargs' parser with stricter JSON and queries, whose every failure is a problem."""

    # None: whether names that a schema does not know are refused is the schema's own setting.
    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": None}

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:
        """The JSON document in the body.

        Raises:
            GatewayError: UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, BAD_REQUEST or MALFORMED_JSON.
        """
        if not req.is_json:
            raise GatewayError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send `application/json`.")
        try:
            return json.loads(
                _content(req).decode("utf-8"),
                parse_constant=_refuse_constant,
                object_pairs_hook=_refuse_duplicates,
            )
        except (ValueError, RecursionError):
            # `from None`: the error holds the whole document.
            raise GatewayError(ErrorCode.MALFORMED_JSON) from None

    def load_querystring(self, req: Request, schema: marshmallow.Schema) -> Any:
        """The parameters of the query.

        Raises:
            GatewayError: VALIDATION_FAILED if a name is given twice.
        """
        if any(len(values) > 1 for _, values in req.args.lists()):
            raise GatewayError(ErrorCode.VALIDATION_FAILED, "A query parameter is given twice.")
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
        """Answer broken rules with their problem."""
        (messages,) = error.messages_dict.values()  # by location, of which there is one
        errors = tuple(dict.fromkeys(field_errors(messages)))
        raise refusal(errors) from None


def _content(req: Request) -> bytes:
    """The whole body; werkzeug takes what came before the limit or a lost connection for it."""
    content, told = req.get_data(cache=False), req.content_length
    if told is None and len(content) >= (req.max_content_length or 0):
        raise GatewayError(ErrorCode.PAYLOAD_TOO_LARGE)
    if told is not None and len(content) < told:
        raise GatewayError(ErrorCode.BAD_REQUEST)
    return content
