"""Reads the JSON object of a control call."""

from __future__ import annotations

from typing import Any

from flask import request

from .settings import InvalidControl


def read_document(*expected: str) -> dict[str, Any]:
    """Return the JSON object of this control call.

    Args:
        expected: The allowed names; none allows any name.

    Raises:
        InvalidControl: the body is not a JSON object, or has other names.
    """
    document = request.get_json(silent=True, force=True)
    if not isinstance(document, dict):
        raise InvalidControl("the body must be a JSON object")
    if expected and not document.keys() <= set(expected):
        raise InvalidControl(f"the body may only have {sorted(expected)}")
    return document
