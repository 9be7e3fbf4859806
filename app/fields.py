"""marshmallow's fields, rules and schemas for the contract. Their errors never hold a value.

A request schema checks the caller's JSON and does not rename fields by `attribute=`. The
translation to Huawei's names is in app.verification.backends.translation.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, post_dump

from app.errors import FieldError


class Rule(str):
    """The text of a rule, with a code for programs. Neither holds a value of the request."""

    code: str

    def __new__(cls, code: str, text: str) -> "Rule":
        """A rule with a code and a text, which completes the sentence "The field …"."""
        rule = super().__new__(cls, text)
        rule.code = code
        return rule

    def at(self, pointer: str) -> FieldError:
        """The error of a field that breaks the rule.

        Args:
            pointer: The RFC 6901 pointer to the field.
        """
        return FieldError(pointer, self.code, f"The field {self}.")

    def of(self, parameter: str) -> FieldError:
        """The error of a query parameter or header that breaks the rule.

        Args:
            parameter: Its name; empty for the query as a whole.
        """
        noun = "parameter" if parameter else "query"
        return FieldError(None, self.code, f"The {noun} {self}.", parameter)

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        """The arguments of `__new__` for a copy: marshmallow copies every field."""
        return self.code, str(self)


# Replaces the texts of libraries, which could hold a value. Our own fields always raise rules.
_OTHER = Rule("INVALID", "is not valid")


class Explained(fields.Field[Any]):
    """A field whose errors are rules."""

    rules: dict[str, Rule] = {  # noqa: RUF012 - never changed; subclasses replace it as a whole
        "required": Rule("REQUIRED", "is required"),
        "null": Rule("NULL", "must not be null"),
        "invalid": Rule("WRONG_TYPE", "must be a string"),
        "invalid_utf8": Rule("WRONG_TYPE", "must be a string"),
        "type": Rule("WRONG_TYPE", "must be an object"),
    }

    def make_error(self, key: str, **_: Any) -> ValidationError:
        """marshmallow's hook for an error. marshmallow's own texts would hold the value."""
        return ValidationError([self.rules[key]])


class QueryFlag(Explained, fields.Boolean):
    """A flag in a query: true, false, 1 or 0, in any case."""

    rules = Explained.rules | {"invalid": Rule("WRONG_TYPE", "must be true, false, 1 or 0")}
    truthy = {"true", "1"}  # noqa: RUF012 - marshmallow's
    falsy = {"false", "0"}  # noqa: RUF012 - marshmallow's

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return super()._deserialize(str(value).lower(), attr, data, **kwargs)


class JsonFlag(Explained, fields.Boolean):
    """A flag in a body: true or false."""

    rules = Explained.rules | {"invalid": Rule("WRONG_TYPE", "must be true or false")}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


def word(words: Iterable[str], about: str = "", required: bool = True) -> fields.String:
    """A field of an answer that holds a word of a list to which words can be added.

    Args:
        words: The words.
        about: What they say.
        required: Whether the field is always present.
    """
    listed = f"{', '.join(words)}; more can be added"
    description = f"{about}: {listed}" if about else listed
    return fields.String(required=required, metadata={"description": description})


def utc(time: datetime) -> str:
    """A time as RFC 3339 text in UTC, in whole seconds."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Nested(Explained, fields.Nested):
    """A nested object."""


class UtcTime(fields.DateTime):
    """A time in an answer: RFC 3339, UTC, in whole seconds."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else utc(value)


class RequestSchema(Schema):
    """A request body. Unknown fields are refused, so that a misspelt field is not ignored."""

    parts = "fields"

    class Meta:
        unknown = RAISE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # The name of an unknown field is input and is not echoed. The text lists the known names.
        known = ", ".join(self.fields)
        self.error_messages = {
            "type": Rule("WRONG_TYPE", "must be an object"),
            "unknown": Rule("UNKNOWN_FIELD", f"must not have other {self.parts} than {known}"),
        }


class QuerySchema(RequestSchema):
    """The query of a request. Unknown parameters are refused."""

    parts = "parameters"


class ResponseSchema(Schema):
    """An answer. The published schema is open: callers ignore unknown fields."""

    class Meta:
        unknown = EXCLUDE  # the contract then says nothing on other fields, which means open

    @post_dump
    def leave_out_none(self, answer: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The answer without the fields that are None: no field of the contract is null."""
        return {name: value for name, value in answer.items() if value is not None}


def field_errors(messages: Any, pointer: str = "") -> Iterator[FieldError]:
    """The errors in marshmallow's messages, each with its RFC 6901 pointer.

    The name of an unknown field is input and is not echoed: its error points to the object that
    holds the field.

    Args:
        messages: The messages of a ValidationError.
        pointer: The pointer to the object that the messages are about.
    """
    if isinstance(messages, Mapping):
        for name, reasons in messages.items():
            whole = name == "_schema" or _is_unknown_field(reasons)
            yield from field_errors(reasons, pointer if whole else f"{pointer}/{name}")
    else:
        for reason in dict.fromkeys(messages):
            yield (reason if isinstance(reason, Rule) else _OTHER).at(pointer)


def parameter_errors(messages: Mapping[str, Any]) -> Iterator[FieldError]:
    """The errors in marshmallow's messages on a query.

    The name of an unknown parameter is input and is not echoed: its error is about the query.
    """
    for name, reasons in messages.items():
        for reason in reasons:
            rule = reason if isinstance(reason, Rule) else _OTHER
            yield rule.of("" if _is_unknown_field(reasons) else name)


def _is_unknown_field(reasons: Any) -> bool:
    return isinstance(reasons, list) and any(
        getattr(reason, "code", None) == "UNKNOWN_FIELD" for reason in reasons
    )
