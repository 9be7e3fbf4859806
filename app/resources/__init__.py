"""What callers see: one module a resource, each listed here."""

import re

from flask import Flask
from werkzeug.routing import BaseConverter

from app.problems import ProblemApi
from app.resources import errors, verifications

BLUEPRINTS = (verifications.blueprint, errors.blueprint)


class CustomerIdConverter(BaseConverter):
    """A customer id in a path.

    Flask's own converter lets dots through: with it, `..` was seen to reach another upstream
    path, signed with the partner's key.
    """

    regex = "[A-Za-z0-9_-]{1,64}"

    def to_python(self, value: str) -> str:
        """The id; werkzeug's `$` lets a trailing line feed through, so match again."""
        if not re.fullmatch(self.regex, value):
            raise ValueError
        return value


def init_app(app: Flask, api: ProblemApi) -> None:
    """Register every resource."""
    app.url_map.converters["customer_id"] = CustomerIdConverter
    api.register_converter(
        CustomerIdConverter,
        lambda _: {
            "type": "string",
            "minLength": 1,
            "maxLength": 64,
            "pattern": f"^{CustomerIdConverter.regex}$",
            "description": "the customer's Huawei account id",
            "example": "06a7969058802f0c0f01c00b91846780",
        },
    )
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
