"""Gives the views access to the gateway that the composition root built."""

from typing import cast

from flask import Flask, current_app, g

from app.account import Account
from app.gateway import Gateway

_NAME = "partner_gateway"


def init_app(app: Flask, built: Gateway) -> None:
    """Store the gateway in the app."""
    app.extensions[_NAME] = built


def gateway() -> Gateway:
    """The gateway of the current app."""
    return cast(Gateway, current_app.extensions[_NAME])


def account() -> Account:
    """The account that this request uses."""
    return gateway().accounts[g.account]
