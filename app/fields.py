"""marshmallow's fields, rules and schemas as the contract needs them: failures never hold a value.

A request schema checks the caller's JSON and names the fields; its `attribute=` is never used to
rename. What Huawei's words are for ours stands in app.verification.backends.translation.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, post_dump

from app.errors import FieldError
from app.texts import Flaw, flaw_of


class Rule(str):
    """The text of a rule, with the code by which programs know it. Neither holds a value."""

    code: str

    def __new__(cls, code: str, text: str) -> "Rule":
        """A rule from its code and its text."""
        rule = super().__new__(cls, text)
        rule.code = code
        return rule

    def at(self, pointer: str) -> FieldError:
        """The rule, broken by the field at an RFC 6901 pointer."""
        return FieldError(pointer, self.code, f"The field {self}.")

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        """How to copy a rule, which marshmallow does with every field."""
        return self.code, str(self)


# Every failure of our own fields is a rule; a library's own text could hold a value.
_OTHER = Rule("INVALID", "is not valid")


class Explained(fields.Field[Any]):
    """A field whose failures are rules."""

    rules: dict[str, Rule] = {  # noqa: RUF012 - never changed, replaced as a whole
        "required": Rule("REQUIRED", "is required"),
        "null": Rule("NULL", "must not be null"),
        "invalid": Rule("WRONG_TYPE", "must be a string"),
        "invalid_utf8": Rule("WRONG_TYPE", "must be a string"),
        "type": Rule("WRONG_TYPE", "must be an object"),
    }

    def make_error(self, key: str, **_: Any) -> ValidationError:
        """marshmallow's hook for a failure; without it, texts hold the value."""
        return ValidationError([self.rules[key]])


class Text(Explained, fields.String):
    """A string that keeps the rule on every text of the contract (app.texts).

    Lone surrogates are no string: no encoding could carry them.
    """

    rules = Explained.rules | {
        Flaw.CHARACTERS: Rule(
            "CHARACTERS",
            "must not have control, invisible, private-use or unassigned characters, line breaks "
            "or controls of the writing direction",
        ),
        Flaw.BLANK: Rule("BLANK", "must not be blank"),
        Flaw.PADDED: Rule("PADDED", "must not begin or end with a space"),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self.make_error("invalid") from None
        if flaw := flaw_of(text):
            raise self.make_error(flaw)
        return text


class Flag(Explained, fields.Boolean):
    """true or false in a query."""

    rules = Explained.rules | {"invalid": Rule("WRONG_TYPE", "must be true or false")}
    truthy = {"true"}  # noqa: RUF012 - marshmallow's
    falsy = {"false"}  # noqa: RUF012 - marshmallow's


class Part(Explained, fields.Nested):
    """An object within the object."""


class Texts(Explained, fields.List[str]):
    """A list of strings."""

    rules = Explained.rules | {"invalid": Rule("WRONG_TYPE", "must be a list")}


def utc(time: datetime) -> str:
    """A time as RFC 3339 in UTC, to the second."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class UtcTime(fields.DateTime):
    """A time in an answer."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else utc(value)


def length(
    minimum: int, maximum: int, of: str = "characters", code: str = "LENGTH"
) -> Callable[[Any], None]:
    """A validator of the number of characters, or of entries of a list."""
    rule = Rule(code, f"must have {minimum} to {maximum} {of}")

    def check(value: Any) -> None:
        if not minimum <= len(value) <= maximum:
            raise ValidationError([rule])

    return check


def pattern(expression: str, rule: Rule) -> Callable[[str], None]:
    """A validator by a regular expression, which is not published.

    Generated clients print the offending value when a published pattern does not match.
    """
    matches = re.compile(expression).fullmatch

    def check(value: str) -> None:
        if not matches(value):
            raise ValidationError([rule])

    return check


def one_of(choices: Iterator[str] | tuple[str, ...]) -> Callable[[str], None]:
    """A validator of a closed list."""
    allowed = tuple(choices)
    rule = Rule("NOT_ALLOWED", f"must be one of {', '.join(allowed)}")

    def check(value: str) -> None:
        if value not in allowed:
            raise ValidationError([rule])

    return check


class RequestSchema(Schema):
    """A body of the contract: closed, so that a misspelt field is refused and not ignored."""

    class Meta:
        unknown = RAISE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # The name that is not known is input, so it is not repeated; the known ones are told.
        known = ", ".join(self.fields)
        self.error_messages = {
            "type": Rule("WRONG_TYPE", "must be an object"),
            "unknown": Rule("UNKNOWN_FIELD", f"must not have other fields than {known}"),
        }


class ResponseSchema(Schema):
    """An answer of the contract: open, since callers ignore what they do not know."""

    class Meta:
        unknown = INCLUDE

    @post_dump
    def leave_out_none(self, answer: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The answer without what has no value: nothing in the contract is null."""
        return {name: value for name, value in answer.items() if value is not None}


def field_errors(messages: Any, pointer: str = "") -> Iterator[FieldError]:
    """The rules that marshmallow's messages tell of, each at its RFC 6901 pointer.

    Names of fields that the contract does not know are input; they are replaced by the object
    that holds them.
    """
    if isinstance(messages, Mapping):
        for name, reasons in messages.items():
            whole = name == "_schema" or _is_unknown_field(reasons)
            yield from field_errors(reasons, pointer if whole else f"{pointer}/{name}")
    else:
        for reason in dict.fromkeys(messages):
            yield (reason if isinstance(reason, Rule) else _OTHER).at(pointer)


def _is_unknown_field(reasons: Any) -> bool:
    return isinstance(reasons, list) and any(
        getattr(reason, "code", None) == "UNKNOWN_FIELD" for reason in reasons
    )
