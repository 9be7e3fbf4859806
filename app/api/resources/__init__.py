"""What callers see: one module a resource, each listed here."""

import re

from flask import Flask
from werkzeug.routing import BaseConverter

from app.api.problems import ProblemApi
from app.api.resources import (
    accounts,
    attachments,
    capabilities,
    errors,
    migration,
    results,
    submissions,
)
from app.verification.model import ATTACHMENT_NAME, CUSTOMER_ID

BLUEPRINTS = (
    submissions.blueprint,
    results.blueprint,
    attachments.blueprint,
    capabilities.blueprint,
    migration.blueprint,
    accounts.blueprint,
)


class _Typed(BaseConverter):
    """A value in a path, held to an expression as a whole.

    Flask's own converter lets dots through: with it, `..` was seen to reach another upstream
    path, signed with the partner's key.
    """

    def to_python(self, value: str) -> str:
        """The value; werkzeug's own match lets a trailing line feed through."""
        if not re.fullmatch(self.regex, value):
            raise ValueError
        return value


class CustomerIdConverter(_Typed):
    """The customer's Huawei account id."""

    regex = CUSTOMER_ID
    document = {  # noqa: RUF012
        "type": "string",
        "minLength": 1,
        "maxLength": 64,
        "pattern": f"^{regex}$",
        "description": "the customer's Huawei account id",
        "example": "06a7969058802f0c0f01c00b91846780",
    }


class AttachmentNameConverter(_Typed):
    """The name of an attachment."""

    regex = ATTACHMENT_NAME
    document = {  # noqa: RUF012
        "type": "string",
        "minLength": 1,
        "maxLength": 128,
        "pattern": f"^{regex}$",
        "description": "a name of your choice with the file's ending",
        "example": "data-page.jpg",
    }


# Parameters by their names in the contract's components. Examples are in the descriptions: the
# docs page sends what has a field of its own for them, asked or not.
PARAMETERS = {
    "PartnerAccount": {
        "name": "Partner-Account",
        "description": "one of your accounts, if it is not your first",
        "schema": {"type": "string"},
    },
    "RequestId": {
        "name": "X-Request-Id",
        "description": "your id for the request, to find it in the gateway's log: 8 to 64 "
        "letters, digits, `.`, `_` or `-`; replaced if it is anything else",
        "schema": {"type": "string"},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "description": "names this request, so that repeating it does it once: 1 to 255 "
        "printable ASCII characters, such as `shop-981-verification-1`, kept for 24 hours",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "Prefer": {
        "name": "Prefer",
        "description": "`wait=N`: seconds to wait (RFC 7240), at most 25, such as `wait=20`",
        "schema": {"type": "string"},
    },
}


def init_app(app: Flask, api: ProblemApi) -> None:
    """Register every resource."""
    converters = {"customer_id": CustomerIdConverter, "attachment_name": AttachmentNameConverter}
    for name, converter in converters.items():
        app.url_map.converters[name] = converter
        api.register_converter(converter, lambda typed: dict(typed.document))
    for name, parameter in PARAMETERS.items():
        api.spec.components.parameter(name, "header", parameter, lazy=True)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint, parameters=["PartnerAccount", "RequestId"])
    api.register_blueprint(errors.blueprint)
