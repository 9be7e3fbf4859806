"""Declared answers: one class is the contract, the translation from Huawei, and the example.

The class is the schema of our answer. `of` names the field of Huawei's answer that a field is read
from. `reading` builds the schema that loads Huawei's answer under our names.
"""

import copy
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load

from app.fields import ResponseSchema, UtcTime

# The most digits of an amount. A larger number is refused: it would expand to a huge text.
_MOST_DIGITS = 40
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_CODE = re.compile(r"[A-Za-z0-9_]{1,32}")
_TIME = "%Y-%m-%dT%H:%M:%SZ"  # Huawei's times are UTC


class Answer(ResponseSchema):
    """An answer of the contract that Huawei's answer is translated to."""


class _Of(fields.Field[Any]):
    """A field that is read from Huawei's answer.

    Args:
        of: Huawei's name of the field; dots lead into nested objects. Empty: the object itself.
        example: A value, in our words.
        description: Its description in the contract.
        optional: Whether Huawei may leave it out. An answer without a field that is not optional
            is unreadable.
    """

    def __init__(
        self,
        of: str,
        example: Any,
        description: str = "",
        *,
        optional: bool = False,
        **more: Any,
    ) -> None:
        metadata = {"description": description} if description else {}
        super().__init__(required=not optional, metadata=metadata, **more)
        self.of = of
        self.example = example

    def reading(self) -> fields.Field[Any]:
        """The field that loads Huawei's value as ours."""
        field = copy.copy(self)
        field.data_key = self.of
        if not self.required:
            field.allow_none, field.load_default = True, None
        return field


class Text(_Of, fields.String):
    """A text. If the field is optional, an empty text counts as absent."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if value == "" and not self.required:
            return None
        return super()._deserialize(value, attr, data, **more)


class Money(_Of, fields.String):
    """An amount as decimal text with every digit that Huawei sends, as a number or as text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if isinstance(value, str) and _DECIMAL.fullmatch(value):
            return value
        if isinstance(value, Decimal | int) and not isinstance(value, bool):
            number = Decimal(value)
            exponent = number.as_tuple().exponent
            if isinstance(exponent, int) and max(abs(exponent), number.adjusted()) <= _MOST_DIGITS:
                return f"{number:f}"
        raise self.make_error("invalid")


class Word(_Of, fields.String):
    """Our word for a code of Huawei. A code without a word becomes OTHER_<code>.

    Args:
        of: Huawei's name of the field.
        words: Our words by Huawei's codes, as text. Huawei sends some of its numbers as text.
        description: Follows the list of the words in the contract.
        optional: Whether Huawei may leave it out.
    """

    def __init__(
        self,
        of: str,
        words: Mapping[str, str],
        description: str = "",
        *,
        optional: bool = False,
        **more: Any,
    ) -> None:
        listed = ", ".join(dict.fromkeys(words.values()))
        text = "; ".join(filter(None, (listed, description, "more can be added")))
        super().__init__(of, next(iter(words.values())), text, optional=optional, **more)
        self.words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.make_error("invalid")
        code = str(value)
        if word := self.words.get(code):
            return word
        return f"OTHER_{code.upper()}" if _CODE.fullmatch(code.lstrip("-")) else "OTHER"


class Flag(_Of, fields.Boolean):
    """A boolean. Huawei sends 0 or 1."""

    truthy = {1, "1"}  # noqa: RUF012 - marshmallow's
    falsy = {0, "0"}  # noqa: RUF012 - marshmallow's


class Count(_Of, fields.Integer):
    """A number of entries."""

    def __init__(self, of: str, example: int, description: str = "", **more: Any) -> None:
        super().__init__(of, example, description, strict=True, **more)


class When(_Of, UtcTime):
    """A time. Huawei's times are UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        if value == "" and not self.required:
            return None
        try:
            return datetime.strptime(value, _TIME).replace(tzinfo=UTC)
        except (TypeError, ValueError):
            raise self.make_error("invalid", input="a time", obj_type="datetime") from None


class Part(_Of, fields.Nested):
    """A nested object. If `of` is empty, its fields are read from the surrounding object."""

    def __init__(self, of: str, answer: type[Answer], description: str = "", **more: Any) -> None:
        super().__init__(of, example_of(answer), description, nested=answer, **more)
        self.answer = answer

    def reading(self) -> fields.Field[Any]:
        """The field that loads Huawei's object as ours."""
        return fields.Nested(reading(self.answer), data_key=self.of, required=self.required)


class Items(_Of, fields.List[Any]):
    """A list of objects in an answer."""

    def __init__(self, of: str, answer: type[Answer], **more: Any) -> None:
        super().__init__(of, [example_of(answer)], cls_or_instance=fields.Nested(answer), **more)
        self.answer = answer

    def reading(self) -> fields.Field[Any]:
        """The field that loads Huawei's list as ours."""
        items = fields.Nested(reading(self.answer))
        return fields.List(items, data_key=self.of, required=self.required)


class Page(Answer):
    """A page of a list; its classes add `items` and `total`."""

    next = fields.String(
        metadata={
            "description": "`after` of the next page; absent on the last page. A list that changes "
            "meanwhile can repeat an entry or miss one."
        }
    )


class _Reading(Schema):
    """Loads Huawei's fields under their names with dots."""

    class Meta:
        unknown = EXCLUDE

    @pre_load
    def pick(self, body: Any, **_: Any) -> dict[str, Any]:
        """The fields that are read, each by its name with dots."""
        if not isinstance(body, Mapping):
            raise ValidationError("not an object")
        names = (field.data_key or "" for field in self.fields.values())
        found = {name: _dig(body, name) for name in names}
        return {name: value for name, value in found.items() if value is not None}


def reading(answer: type[Answer]) -> Schema:
    """The schema that loads Huawei's answer as the fields of ours."""
    declared = answer().fields
    names = {name: field.reading() for name, field in declared.items() if isinstance(field, _Of)}
    return _Reading.from_dict(names, name=f"Huawei{answer.__name__}")()


def example_of(answer: type[Answer]) -> dict[str, Any]:
    """The example of an answer, by the examples of its fields."""
    examples = {
        name: field.example if isinstance(field, _Of) else field.metadata.get("example")
        for name, field in answer().fields.items()
    }
    return {name: example for name, example in examples.items() if example is not None}


def _dig(body: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        body = body.get(name) if isinstance(body, Mapping) else None
    return body
