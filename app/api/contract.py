"""The resources of the contract, and the contract as an OpenAPI document."""

from copy import deepcopy
from functools import cache
from typing import Any

import flask_smorest
from apispec import APISpec
from flask import Flask
from marshmallow import fields

from app.api import openapi
from app.api.problems import responses
from app.api.problems.document import ProblemSchema
from app.api.resources import (
    accounts,
    attachments,
    bill_lines,
    budgets,
    capabilities,
    customers,
    errors,
    events,
    freezes,
    migration,
    orders,
    partner,
    partner_bills,
    registrations,
    results,
    reviews,
    submissions,
)
from app.version import VERSION

BLUEPRINTS = (
    customers.blueprint,
    submissions.blueprint,
    results.blueprint,
    reviews.blueprint,
    attachments.blueprint,
    budgets.blueprint,
    budgets.all_budgets,
    freezes.blueprint,
    partner.blueprint,
    partner_bills.blueprint,
    bill_lines.blueprint,
    orders.blueprint,
    registrations.blueprint,
    events.blueprint,
    capabilities.blueprint,
    migration.blueprint,
    accounts.blueprint,
)

_SPEC = {
    "info": {
        "contact": {"name": "The operator of the gateway"},
        "license": {"name": "For internal use only"},
        "description": "Internal services call Huawei Cloud's Partner Center through this "
        "gateway.\n\n"
        "Every failure is an RFC 9457 problem. It has an error `code`; `fault` says who must act, "
        "and `retry` whether to repeat the request. Its `type` links to the description of the "
        "code; [/v1/errors](/v1/errors) lists all codes. Requests are closed: the gateway refuses "
        "a field that is not in the contract. Answers are open: ignore fields and enum values "
        "that you do not know.",
    },
    "servers": [{"url": "/"}],
    "components": {
        "securitySchemes": {
            "callerKey": {
                "type": "http",
                "scheme": "bearer",
                "description": "the key that the operator gave to your service, or a token of its "
                "Kubernetes service account or of the identity provider",
            }
        }
    },
}


def init_app(app: Flask) -> None:
    """Serve the resources, and register the converters of their paths."""
    openapi.init_app(app)
    for blueprint in (*BLUEPRINTS, errors.blueprint):
        app.register_blueprint(blueprint)


class _Api(flask_smorest.Api):
    """flask-smorest's Api; every failure is documented as a problem."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = responses.DEFAULT
    spec: APISpec

    def __init__(self, app: Flask) -> None:
        # A copy: apispec adds to it.
        super().__init__(spec_kwargs=openapi.plugins() | deepcopy(_SPEC))
        self.register_field(fields.Integer, "integer", "int32")
        self.init_app(app)
        openapi.register(self)
        responses.register(self.spec)
        # flask-smorest's pagination, which no operation uses.
        self.spec.components.schemas.pop("PaginationMetadata")


def _documented() -> tuple[Flask, APISpec]:
    app = Flask("contract", static_folder=None)
    app.config.update(API_TITLE="Partner Gateway", API_VERSION=VERSION, OPENAPI_VERSION="3.0.3")
    openapi.init_app(app)
    api = _Api(app)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint, parameters=["PartnerAccount", "RequestId"])
    api.register_blueprint(errors.blueprint)
    return app, api.spec


def documented() -> Flask:
    """An app that documents the resources and serves nothing, for `flask openapi write`."""
    return _documented()[0]


@cache
def document() -> dict[str, Any]:
    """The contract as an OpenAPI document.

    It depends on no setting. It is made when it is first asked for, because that takes longer
    than to build the gateway.
    """
    contract: dict[str, Any] = _documented()[1].to_dict()
    return contract
