"""Reads the JSON object of a control call."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar

from flask import request

from .settings import InvalidControl

T = TypeVar("T", bound=Any)


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


def changed(one: T, document: Any) -> T:
    """Return a copy of a dataclass with the fields of a control call.

    Raises:
        InvalidControl: a name is unknown, or a value has another type than the present one.
    """
    if not isinstance(document, dict):
        raise InvalidControl("a JSON object is expected")
    known = {field.name: type(getattr(one, field.name)) for field in fields(one)}
    for name, value in document.items():
        if not isinstance(value, known.get(name, ())):
            raise InvalidControl(f"{name} cannot be {value!r}")
    return replace(one, **document)
