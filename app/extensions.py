"""What the composition root built, as the views reach it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app, g

from app.partner_center.bucket import Bucket
from app.partner_center.credentials import Credentials
from app.settings import Settings
from app.verification import Verifications
from app.verification.migration import Migration

_NAME = "partner_gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The parts of one gateway. Accounts are by their names in the configuration."""

    settings: Settings
    credentials: Mapping[str, Credentials]
    buckets: Mapping[str, Bucket]
    verifications: Mapping[str, Verifications]
    migration: Migration


def init_app(app: Flask, gateway: Gateway) -> None:
    """Keep the parts with the app."""
    app.extensions[_NAME] = gateway


def gateway() -> Gateway:
    """The parts of the app that is running."""
    return cast(Gateway, current_app.extensions[_NAME])


def verifications() -> Verifications:
    """The verifications of the account that this request uses."""
    return gateway().verifications[g.account]
