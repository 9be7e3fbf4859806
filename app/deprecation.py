"""Operations that will end: every answer tells since when they are deprecated and until when."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from flask import Response, current_app, request
from flask_smorest import Blueprint
from werkzeug.http import http_date

View = TypeVar("View", bound=Callable[..., Any])

_HEADERS = "_gateway_deprecation"
_DOCUMENTED = {
    "Deprecation": {
        "description": "since when the operation is deprecated (RFC 9745)",
        "schema": {"type": "string"},
    },
    "Sunset": {
        "description": "when the operation ends (RFC 8594)",
        "schema": {"type": "string"},
    },
    "Link": {
        "description": 'where to read what to do instead: `rel="deprecation"`',
        "schema": {"type": "string"},
    },
}


def deprecated(since: datetime, sunset: datetime, link: str) -> Callable[[View], View]:
    """Mark a view as deprecated, in its answers and in the contract; the outermost decorator.

    Args:
        since: When it became, or will become, deprecated.
        sunset: When it ends; not before `since`.
        link: Where callers read what to do instead.

    Raises:
        ValueError: A time has no timezone, or the end comes before the deprecation.
    """
    if since.tzinfo is None or sunset.tzinfo is None or sunset < since:
        raise ValueError("times need a timezone, and the sunset comes after the deprecation")
    headers = {
        "Deprecation": f"@{since.timestamp():.0f}",
        "Sunset": http_date(sunset),
        "Link": f'<{link}>; rel="deprecation"',
    }

    def decorate(view: View) -> View:
        statuses = view._apidoc["response"]["responses"]  # type: ignore[attr-defined]
        responses = {status: {"headers": _DOCUMENTED} for status in statuses}
        documented: View = Blueprint.doc(deprecated=True, responses=responses)(view)
        setattr(documented, _HEADERS, headers)
        return documented

    return decorate


def announce(response: Response) -> Response:
    """Add the headers of a deprecated operation to what it answers, failures included."""
    view = current_app.view_functions.get(request.endpoint or "")
    for name, value in getattr(view, _HEADERS, {}).items():
        response.headers.add(name, value)
    return response
