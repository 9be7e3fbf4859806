"""What the resources share in the contract: parts of paths, headers in and out, enums."""

from collections.abc import Mapping
from typing import Any, ClassVar

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from flask_smorest import Api
from flask_smorest.spec.plugins import FlaskPlugin
from marshmallow import fields
from werkzeug.routing import BaseConverter

from app.billing.month import MONTH
from app.errors import WAITING
from app.texts import CUSTOMER_ID
from app.verification.model import ATTACHMENT_NAME


class _PatternConverter(BaseConverter):
    """A part of a path that matches a regular expression as a whole.

    Flask's default converter accepts dots: with it, `..` in a path reached another upstream
    path, signed with the partner's key.
    """

    argument: ClassVar[str]  # the name of the parameter
    description: ClassVar[str]
    limits: ClassVar[Mapping[str, Any]]

    @classmethod
    def document(cls) -> dict[str, Any]:
        """The parameter in the contract."""
        schema = {"type": "string", "pattern": f"^{cls.regex}$", **cls.limits}
        return {"name": cls.argument, "description": cls.description, "schema": schema}


class CustomerIdConverter(_PatternConverter):
    """The customer's Huawei account id."""

    regex = CUSTOMER_ID
    argument = "customer_id"
    description = "the customer's Huawei account id"
    limits: ClassVar = {
        "minLength": 1,
        "maxLength": 64,
        "example": "06a7969058802f0c0f01c00b91846780",
    }


class AttachmentNameConverter(_PatternConverter):
    """The name of an attachment."""

    regex = ATTACHMENT_NAME
    argument = "name"
    description = "a name of your choice, with the ending of the file's format"
    limits: ClassVar = {"minLength": 1, "maxLength": 128, "example": "data-page.jpg"}


class OrderIdConverter(_PatternConverter):
    """The id of an order."""

    regex = "[A-Za-z0-9_-]{1,64}"
    argument = "order_id"
    description = "Huawei's id of the order"
    limits: ClassVar = {"minLength": 1, "maxLength": 64, "example": "CS2611021029GQ3WU"}


class MonthConverter(_PatternConverter):
    """A month. Every text reaches the view, whose problem names the parameter."""

    regex = "[^/]{1,64}"
    argument = "month"
    description = "a calendar month in Beijing (GMT+8), as `YYYY-MM`"
    limits: ClassVar = {"pattern": f"^{MONTH}$", "example": "2026-10"}


class ErrorCodeConverter(_PatternConverter):
    """An error code."""

    regex = "[A-Za-z0-9_]{1,64}"
    argument = "code"
    description = "the error code, in upper or lower case"
    limits: ClassVar = {"minLength": 1, "maxLength": 64, "example": "CUSTOMER_NOT_FOUND"}


# The converters of paths by their names in Flask's rules, in the order of the parameters.
CONVERTERS: Mapping[str, type[_PatternConverter]] = {
    "customer_id": CustomerIdConverter,
    "order_id": OrderIdConverter,
    "attachment_name": AttachmentNameConverter,
    "month": MonthConverter,
    "error_code": ErrorCodeConverter,
}

# Headers of requests by their names in the contract's components, in the order of the parameters.
# Examples are in the descriptions: Swagger UI would send an `example` with every request.
_IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "description": "your key of the request; repeats with the same key are processed once: "
    "1 to 255 printable ASCII characters, such as `shop-981-verification-1`, remembered for "
    "24 hours",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
PARAMETERS: Mapping[str, dict[str, Any]] = {
    "IdempotencyKey": _IDEMPOTENCY_KEY,
    "RequiredIdempotencyKey": {**_IDEMPOTENCY_KEY, "required": True},
    "Prefer": {
        "name": "Prefer",
        "description": "`wait=N` (RFC 7240): the seconds to wait, at most 25, such as `wait=20`",
        "schema": {"type": "string"},
    },
    "PartnerAccount": {
        "name": "Partner-Account",
        "description": "the name of one of your accounts; by default your first account",
        "schema": {"type": "string"},
    },
    "RequestId": {
        "name": "X-Request-Id",
        "description": "your id of the request in the gateway's log: 8 to 64 letters, digits, "
        "`.`, `_` or `-`; the gateway replaces any other value",
        "schema": {"type": "string"},
    },
}

_TEXT = {"type": "string"}
_SECONDS = {"type": "integer", "format": "int32"}
# Headers of answers; the contract's components have the same names.
HEADERS: Mapping[str, tuple[str, dict[str, str]]] = {
    "Allow": ("the methods that the path supports", _TEXT),
    "ETag": ("the version of the document, for `If-None-Match`", _TEXT),
    "Idempotent-Replayed": ("`true` if this is the answer to an earlier request", _TEXT),
    "Location": ("the path of the result, or of what was created", _TEXT),
    "Preference-Applied": ("the `wait=N` that the gateway applied", _TEXT),
    "RateLimit": (
        "the requests that are left (`r`), and the seconds until more are granted (`t`); absent if "
        "you have no rate",
        _TEXT,
    ),
    "RateLimit-Policy": (
        "your rate: requests (`q`) in a number of seconds (`w`); absent if you have no rate",
        _TEXT,
    ),
    "Retry-After": (
        "seconds to wait before the next request; a problem always has it if `retry` is "
        + " or ".join(sorted(WAITING)),
        _SECONDS,
    ),
    "WWW-Authenticate": ("the kind of credential to send: `Bearer`", _TEXT),
    "X-Request-Id": ("the id of the request in the gateway's log", _TEXT),
}


class OrderedParameters(FlaskPlugin):  # type: ignore[misc]
    """Gives each operation its parameters in one order: path, query, headers.

    Generated clients take the order of the contract for the order of their arguments.
    """

    def path_helper(self, rule: Any, operations: Any, parameters: list[Any], **kwargs: Any) -> str:
        """Move the parameters of a path to its operations; return the path."""
        names = {converter.argument: converter for converter in CONVERTERS.values()}
        path = [
            names[one["name"]].__name__.removesuffix("Converter")
            for one in self.rule_to_params(rule)
        ]
        headers = sorted(parameters, key=list(PARAMETERS).index)
        parameters.clear()
        for operation in operations.values():
            operation["parameters"] = [*path, *operation.get("parameters", ()), *headers]
        return str(self.flaskpath2openapi(rule.rule))


class _Converter(OpenAPIConverter):
    """Documents the fields of schemas. No field has a default in the contract."""

    def init_attribute_functions(self) -> None:
        """Add to what documents a field."""
        super().init_attribute_functions()  # type: ignore[no-untyped-call]
        self.attribute_functions.append(self.name_enum)

    def init_parameter_attribute_functions(self) -> None:
        """Add to what documents a parameter."""
        super().init_parameter_attribute_functions()
        self.parameter_attribute_functions.append(self.describe)

    def name_enum(self, field: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
        """Document a field with `enum_name` by a reference, after which clients name its type."""
        ret.pop("default", None)  # generated clients would send it with every request
        name = field.metadata.get("enum_name")
        if name is None:
            return {}
        components = self.spec.components
        if name not in components.schemas:
            words = {key: field.metadata[key] for key in ("enum", "description")}
            components.schema(name, {"type": "string", **words})
        ret.clear()
        return {"$ref": f"#/components/schemas/{name}"}

    def describe(self, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
        """Describe a parameter: a schema that is a reference has no description of its own."""
        return {"description": field.metadata["description"]}


class Schemas(MarshmallowPlugin):
    """Documents the schemas of marshmallow."""

    Converter = _Converter


def plugins() -> dict[str, Any]:
    """The plugins of flask-smorest that write the contract."""
    return {"flask_plugin": OrderedParameters(), "marshmallow_plugin": Schemas()}


def register(api: Api) -> None:
    """Register with the contract what its schemas, responses and operations refer to."""
    components = api.spec.components
    for converter in CONVERTERS.values():
        name = converter.__name__.removesuffix("Converter")
        components.parameter(name, "path", converter.document(), lazy=True)
    for name, parameter in PARAMETERS.items():
        components.parameter(name, "header", parameter, lazy=True)
    for name, (description, schema) in HEADERS.items():
        header = {"description": description, "schema": schema}
        components.header(name, header, lazy=True)


def init_app(app: Flask) -> None:
    """Register the converters of paths."""
    app.url_map.converters.update(CONVERTERS)
