"""How request bodies and queries are read: strictly, and failing with a problem."""

import json
from typing import Any, NoReturn

import marshmallow
from flask import Request, request
from webargs.flaskparser import FlaskParser

from app.errors import ErrorCode, GatewayError
from app.fields import field_errors


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


_decode = json.JSONDecoder(
    parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicates
).decode


class Parser(FlaskParser):
    """webargs' parser, strict about JSON and query, whose failures are problems."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012 - webargs declares it so
        "json": None,  # as the schema says
        "query": marshmallow.RAISE,
    }

    def parse(self, argmap: Any, req: Any = None, *, location: Any = None, **kwargs: Any) -> Any:
        """One part of a request, read and checked; by webargs where there is anything to read."""
        if location == "query" and not request.query_string:
            return argmap.load({})
        return super().parse(argmap, req, location=location, **kwargs)

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:
        """The body of a request."""
        if not req.is_json:
            raise GatewayError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send `application/json`.")
        content = req.get_data(cache=False)
        # werkzeug cuts a body of untold length at the limit without a word.
        if req.content_length is None and len(content) >= (req.max_content_length or 0):
            raise GatewayError(ErrorCode.PAYLOAD_TOO_LARGE)
        try:
            return _decode(content.decode("utf-8"))
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
