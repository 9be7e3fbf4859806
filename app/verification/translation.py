"""Our words in Huawei's, and Huawei's rules on them, as marshmallow schemas.

The fields of a schema are Huawei's words, their `attribute=` the path of ours, and their validators
Huawei's rules, whose failures point at our field.
"""

from collections.abc import Mapping
from typing import Any, cast

from marshmallow import EXCLUDE, Schema, ValidationError, fields, missing

from app.errors import FieldError
from app.fields import Explained, Part, Rule, field_errors


class Code(Explained, fields.Field[Any]):
    """One of Huawei's numbers, by our word. A word that has no number is left out.

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


_WITH_PARTS = (fields.Nested, fields.List)  # which have rules of their own


class UpstreamSchema(Schema):
    """A body of Huawei's: `translate` makes it from our words, `broken_rules` judges it.

    Our words were checked already, so that a translation has the right types: what is left are
    presence and validators. marshmallow's own ways, which look for types, hooks and names each
    time, cost five times as much.
    """

    class Meta:
        unknown = EXCLUDE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._constants: dict[str, Any] = {}
        self._translated: list[tuple[str, fields.Field[Any], list[str]]] = []
        for name, field in self.fields.items():
            if isinstance(field, fields.Constant):
                self._constants[name] = field.constant
            else:
                self._translated.append((name, field, (field.attribute or name).split(".")))

    def translate(self, ours: Mapping[str, Any]) -> dict[str, Any]:
        """Huawei's body from our words; what is not there is left out."""
        body = dict(self._constants)
        for name, field, path in self._translated:
            value: Any = ours
            for word in path:
                value = value.get(word, missing)
                if value is missing:
                    break
            else:
                body[name] = field._serialize(value, name, ours)
        return {name: value for name, value in body.items() if value is not missing}

    def broken_rules(self, body: Mapping[str, Any], parent: str = "") -> tuple[FieldError, ...]:
        """Huawei's rules that a translated body breaks, each at our field.

        Args:
            body: The translation.
            parent: The RFC 6901 pointer to what was translated.
        """
        broken: list[FieldError] = []
        for name, field, path in self._translated:
            value = body.get(name, missing)
            if value is missing and not field.required:
                continue
            whole = value is missing or isinstance(field, _WITH_PARTS)
            for check in (field.deserialize,) if whole else field.validators:
                try:
                    check(value)
                except ValidationError as error:
                    pointer = "/".join((parent, *path))
                    if isinstance(field, Part) and value is not missing:
                        broken += cast(UpstreamSchema, field.schema).broken_rules(value, pointer)
                    else:
                        broken += field_errors(error.messages, pointer)
        return tuple(broken)
