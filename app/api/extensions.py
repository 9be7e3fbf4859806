"""Gives the views access to the gateway that the composition root built."""

from typing import cast

from flask import Flask, current_app, g

from app.gateway import Gateway
from app.verification import Verifications

_NAME = "partner_gateway"


def init_app(app: Flask, built: Gateway) -> None:
    """Store the gateway in the app."""
    app.extensions[_NAME] = built


def gateway() -> Gateway:
    """The gateway of the current app."""
    return cast(Gateway, current_app.extensions[_NAME])


def verifications() -> Verifications:
    """The verifications of the account that this request uses."""
    return gateway().verifications[g.account]
