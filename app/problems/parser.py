"""How request bodies and queries are read: strictly, and failing with a problem."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn

import marshmallow
from flask import request
from webargs.flaskparser import FlaskParser

from app.errors import ErrorCode, GatewayError
from app.fields import field_errors
from app.verification.backend import refusal


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


@cache  # one for each schema of a query
def _defaults(schema: marshmallow.Schema) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema.load({})
    return found


class Parser(FlaskParser):
    """webargs' decorators with our own reading: strict, and failing with a problem."""

    def parse(self, argmap: Any, req: Any = None, *, location: Any = None, **_: Any) -> Any:
        """One part of the request under way, read and checked: its `json`, or its `query`.

        Raises:
            GatewayError: what is wrong with it.
        """
        try:
            if location != "query":
                return argmap.load(_json())
            if request.query_string:
                return argmap.load(_query(), unknown=marshmallow.RAISE)
            return dict(_defaults(argmap))
        except marshmallow.ValidationError as error:
            errors = tuple(dict.fromkeys(field_errors(error.messages)))
            raise refusal(errors) from None


def _json() -> Any:
    if not request.is_json:
        raise GatewayError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send `application/json`.")
    try:
        return _decode(_content().decode("utf-8"))
    except (ValueError, RecursionError):
        # `from None`: the error holds the whole document.
        raise GatewayError(ErrorCode.MALFORMED_JSON) from None


def _content() -> bytes:
    length, most = request.content_length, request.max_content_length or 0
    content: bytes
    if length is None:
        # werkzeug cuts a body of untold length at the limit without a word.
        content = request.get_data(cache=False)
        if len(content) >= most:
            raise GatewayError(ErrorCode.PAYLOAD_TOO_LARGE)
        return content
    if length > most:
        raise GatewayError(ErrorCode.PAYLOAD_TOO_LARGE)
    try:
        content = request.environ["wsgi.input"].read(length)
    except OSError:  # it did not come in its time
        raise GatewayError(ErrorCode.BAD_REQUEST) from None
    if len(content) < length:  # nor will it: the caller is gone
        raise GatewayError(ErrorCode.BAD_REQUEST)
    return content


def _query() -> dict[str, str]:
    """The query; a name given twice would be a contradiction."""
    if any(len(values) > 1 for _, values in request.args.lists()):
        raise GatewayError(ErrorCode.VALIDATION_FAILED, "A query parameter is given twice.")
    return request.args.to_dict()
