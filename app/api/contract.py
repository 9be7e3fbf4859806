"""Registers the resources of the contract."""

from flask import Flask

from app.api import openapi
from app.api.problems import ProblemApi
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


def init_app(app: Flask, api: ProblemApi) -> None:
    """Register the resources and the converters of their paths."""
    openapi.init_app(app)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint, parameters=["PartnerAccount", "RequestId"])
    api.register_blueprint(errors.blueprint)
