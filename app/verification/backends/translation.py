"""Translates submissions into Huawei's words, and checks Huawei's rules, by marshmallow schemas.

The fields of a schema are Huawei's words, their `attribute=` the path of ours, and their validators
Huawei's rules, whose failures point at our field.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from marshmallow import Schema, fields, missing

from app.errors import FieldError
from app.fields import Explained, Part, Rule, field_errors


class Code(Explained, fields.Field[Any]):
    """A number of Huawei for a word of ours. A word without a number is left out.

    Args:
        codes: Our word -> Huawei's number.
        unsupported: The rule that a word without a number breaks.
    """

    def __init__(self, codes: Mapping[str, int], unsupported: Rule, **kwargs: Any) -> None:
        super().__init__(required=True, **kwargs)
        self.codes = codes
        self.rules = Explained.rules | {"required": unsupported}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:
        return self.codes.get(value, missing)


class Word(Explained, fields.String):
    """A text of a submission, which the contract has checked already."""


class UpstreamSchema(Schema):
    """A request body for Huawei: `dump` makes it from a submission, `broken_rules` checks it."""

    def broken_rules(self, body: Mapping[str, Any]) -> tuple[FieldError, ...]:
        """Huawei's rules that a dumped body breaks, each at the RFC 6901 pointer of our field."""
        return tuple(self._at_our_fields(self.validate(body), ""))

    def _at_our_fields(self, messages: Mapping[str, Any], parent: str) -> Iterator[FieldError]:
        for word, reasons in messages.items():
            field = self.fields[word]
            path = (field.attribute or word).replace(".", "/")
            pointer = f"{parent}/{path}"
            if isinstance(field, Part) and isinstance(reasons, Mapping):
                schema = cast(UpstreamSchema, field.schema)
                yield from schema._at_our_fields(reasons, pointer)
            else:
                yield from field_errors(reasons, pointer)
