"""The parameters that the resources share: parts of paths, and headers."""

from typing import Any, ClassVar

from flask import Flask
from werkzeug.routing import BaseConverter

from app.api.problems import ProblemApi
from app.verification.model import ATTACHMENT_NAME, CUSTOMER_ID


class CustomerIdConverter(BaseConverter):
    """The customer's Huawei account id.

    Flask's default converter accepts dots: with it, `..` in a path reached another upstream
    path, signed with the partner's key.
    """

    regex = CUSTOMER_ID
    document: ClassVar[dict[str, Any]] = {
        "type": "string",
        "minLength": 1,
        "maxLength": 64,
        "pattern": f"^{regex}$",
        "description": "the customer's Huawei account id",
        "example": "06a7969058802f0c0f01c00b91846780",
    }


class AttachmentNameConverter(BaseConverter):
    """The name of an attachment."""

    regex = ATTACHMENT_NAME
    document: ClassVar[dict[str, Any]] = {
        "type": "string",
        "minLength": 1,
        "maxLength": 128,
        "pattern": f"^{regex}$",
        "description": "a name of your choice, with the ending of the file's format",
        "example": "data-page.jpg",
    }


# Parameters by their names in the contract's components. Examples are in the descriptions:
# Swagger UI would send an `example` of a parameter with every request.
PARAMETERS = {
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
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "description": "your key of the request; repeats with the same key are processed once: "
        "1 to 255 printable ASCII characters, such as `shop-981-verification-1`, remembered for "
        "24 hours",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "Prefer": {
        "name": "Prefer",
        "description": "`wait=N` (RFC 7240): the seconds to wait, at most 25, such as `wait=20`",
        "schema": {"type": "string"},
    },
}


def init_app(app: Flask, api: ProblemApi) -> None:
    """Register the converters of paths and the headers with Flask and with the contract."""
    converters = {"customer_id": CustomerIdConverter, "attachment_name": AttachmentNameConverter}
    for name, converter in converters.items():
        app.url_map.converters[name] = converter
        api.register_converter(converter, lambda typed: dict(typed.document))
    for name, parameter in PARAMETERS.items():
        api.spec.components.parameter(name, "header", parameter, lazy=True)
