"""Translates submissions into Huawei's fields and checks the rules of a backend, by marshmallow.

A field of a schema has Huawei's name. Its `attribute=` is the path of our field, and its validators
are the rules that are stricter than the contract. The error of a broken rule points to our field.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from marshmallow import Schema, fields, missing

from app.errors import ErrorCode, FieldError
from app.fields import Explained, Nested, Rule, field_errors


@dataclass(frozen=True, slots=True)
class Draft:
    """A request body for Huawei, and the rules of the backend that it breaks."""

    body: Mapping[str, Any]
    errors: tuple[FieldError, ...]

    @property
    def unsupported(self) -> bool:
        """Whether the backend does not accept this type of document."""
        return any(one.code == ErrorCode.DOCUMENT_TYPE_UNSUPPORTED.name for one in self.errors)


class DocumentCode(Explained, fields.Field[Any]):
    """Huawei's number of the document type. A type without a number is left out.

    Args:
        codes: Our document type -> Huawei's number.
        backend: The name of the backend, for the text of the rule that other types break.
    """

    def __init__(self, codes: Mapping[str, int], backend: str) -> None:
        super().__init__(required=True, attribute="document.type")
        text = f"must be one of {', '.join(codes)} on the {backend} backend"
        unsupported = Rule(ErrorCode.DOCUMENT_TYPE_UNSUPPORTED.name, text)
        self.codes = codes
        self.rules = Explained.rules | {"required": unsupported}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:
        return self.codes.get(value, missing)


class CheckedText(Explained, fields.String):
    """A text of a submission. The schemas of the contract have checked it already."""


class UpstreamSchema(Schema):
    """A request body for Huawei."""

    def draft(self, submission: Mapping[str, Any]) -> Draft:
        """The body for a submission, with the errors of the rules that it breaks.

        Args:
            submission: The submission, with the customer's id and the partner's platform id.
        """
        body = self.dump(submission)
        return Draft(body, tuple(self._at_our_fields(self.validate(body), "")))

    def _at_our_fields(self, messages: Mapping[str, Any], parent: str) -> Iterator[FieldError]:
        for word, reasons in messages.items():
            field = self.fields[word]
            path = (field.attribute or word).replace(".", "/")
            pointer = f"{parent}/{path}"
            if isinstance(field, Nested) and isinstance(reasons, Mapping):
                schema = cast(UpstreamSchema, field.schema)
                yield from schema._at_our_fields(reasons, pointer)
            else:
                yield from field_errors(reasons, pointer)
