"""Strict reading of JSON bodies: closed objects, exact types, stated lengths."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

Check = Callable[[str, Any], Any]


class FieldError(Exception):
    """A value that the reference does not allow; the text names it, as Huawei's texts can."""

    def __init__(self, name: str, value: Any, reason: str) -> None:
        super().__init__(f"Parameter error: {name} = {value!r} {reason}"[:1024])


def read_json(body: bytes) -> Any:
    """Read a JSON document of UTF-8 without repeated names, NaN or Infinity."""
    try:
        return json.loads(
            body.decode("utf-8"), object_pairs_hook=_closed_object, parse_constant=_no_constant
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise FieldError("body", None, "is not a JSON document") from error


def _closed_object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, value in pairs:
        if name in read:
            raise FieldError(name, value, "appears twice")
        read[name] = value
    return read


def _no_constant(text: str) -> Any:
    raise FieldError("body", text, "is not JSON")


def read_object(
    name: str, document: Any, checks: Mapping[str, Check], optional: Collection[str] = ()
) -> dict[str, Any]:
    """Read a closed object: no unknown field, no missing one, every value checked."""
    if not isinstance(document, dict):
        raise FieldError(name, document, "is not a JSON object")
    for field in document:
        if field not in checks:
            raise FieldError(field, document[field], f"is no field of {name}")
    for field in checks:
        if field not in document and field not in optional:
            raise FieldError(field, None, "is mandatory")
    return {field: checks[field](field, value) for field, value in document.items()}


# Huawei's pages do not say what becomes of texts that nobody can read. They are refused here, so
# that none of them leaves the gateway unseen.
_UNREAD = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
_JOINERS = "\u180e\u200c\u200d"
_EMPTY = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\ufffd"


def _han_to_come(character: str) -> bool:
    """Whether it is in the planes of Han characters, of which Python knows only the older ones."""
    return ord(character) >> 16 in (2, 3) and ord(character) & 0xFFFF < 0xFFFE


def _unreadable(value: str) -> str | None:
    for character in value:
        kind = unicodedata.category(character)
        unread = kind in _UNREAD and character not in _JOINERS
        if unread or character in _EMPTY or (kind == "Cn" and not _han_to_come(character)):
            return "has a character that nobody can read"
    if value != value.strip():
        return "begins or ends with a space"
    if value and all(unicodedata.category(one)[0] in "MZ" or one in _JOINERS for one in value):
        return "is blank"
    return None


def text(maximum: int, pattern: str = r"(?s:.+)", *, named: bool = False) -> Check:
    """Check a string; `named` asks for a letter, so that it is not only digits and signs."""

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, str):
            raise FieldError(name, value, "is not a string")
        if not 1 <= len(value) <= maximum:
            raise FieldError(name, value, f"is not 1 to {maximum} characters long")
        if not re.fullmatch(pattern, value):
            raise FieldError(name, value, "has characters that are not allowed")
        if flaw := _unreadable(value):
            raise FieldError(name, value, flaw)
        if named and not any(one.isalpha() or _han_to_come(one) for one in value):
            raise FieldError(name, value, "has only digits, special characters or spaces")
        return value

    return check


def integer(*allowed: int, digits: bool = False) -> Check:
    """Check one of these integers; `digits` lets them come as a string of digits too."""

    def check(name: str, value: Any) -> Any:
        if digits and isinstance(value, str) and re.fullmatch(r"0|[1-9]\d{0,5}", value, re.ASCII):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise FieldError(name, value, "is not an integer")
        if value not in allowed:
            raise FieldError(name, value, f"is none of {allowed}")
        return value

    return check


def constant(expected: str) -> Check:
    """Check a string that has one right value."""

    def check(name: str, value: Any) -> Any:
        if value != expected:
            raise FieldError(name, value, "is not the expected value")
        return value

    return check


def texts(maximum: int) -> Check:
    """Check a list of one to `maximum` strings that are not empty."""

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, list) or not 1 <= len(value) <= maximum:
            raise FieldError(name, value, f"is not a list of 1 to {maximum} strings")
        if not all(isinstance(entry, str) and entry and not _unreadable(entry) for entry in value):
            raise FieldError(name, value, "has an entry that is no readable string")
        return value

    return check


def nested(checks: Mapping[str, Check], optional: Collection[str] = ()) -> Check:
    """Check a closed object within the object."""

    def check(name: str, value: Any) -> Any:
        return read_object(name, value, checks, optional)

    return check
