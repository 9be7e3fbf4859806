"""Loads the configuration and builds the gateway from it, or ends the process with a message."""

import sys
from collections.abc import Callable

import click
from flask.cli import FlaskGroup

from app.gateway import Gateway
from app.observability.exchange import Exchange
from app.settings import ConfigurationError, Settings, StateSettings, load_from_environment


def looking_up_commands() -> bool:
    """Whether the app is built only to find its commands, most of which need no configuration."""
    context = click.get_current_context(silent=True)
    return context is not None and isinstance(context.command, FlaskGroup)


def configured() -> Settings:
    """The configuration that GATEWAY_CONFIG names; ends the process with 2 if it cannot be used."""
    try:
        return load_from_environment()
    except ConfigurationError as error:
        if looking_up_commands():
            return Settings.model_construct(accounts={}, callers={}, state=StateSettings())
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


def built(settings: Settings, observe: Callable[[Exchange], None]) -> Gateway:
    """The parts of a gateway; ends the process with 2 if a file it cannot do without is missing."""
    try:
        return Gateway.build(settings, observe)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
