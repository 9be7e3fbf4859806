"""Loads the configuration and builds the gateway from it, or ends the process with a message."""

import sys

import click
from flask.cli import FlaskGroup

from app.gateway import Gateway
from app.observability.exchange import Observe
from app.settings import ConfigurationError, Settings, StateSettings, load_from_environment


def looking_up_commands() -> bool:
    """Whether Flask builds the app only to list its commands; most need no configuration."""
    context = click.get_current_context(silent=True)
    return context is not None and isinstance(context.command, FlaskGroup)


def configured() -> Settings:
    """The configuration in the file that GATEWAY_CONFIG names.

    Ends the process with status 2 if the configuration is not valid.
    """
    try:
        return load_from_environment()
    except ConfigurationError as error:
        if looking_up_commands():
            return Settings.model_construct(accounts={}, callers={}, state=StateSettings())
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


def built(settings: Settings, observe: Observe) -> Gateway:
    """The gateway. Ends the process with status 2 if a required file cannot be read."""
    try:
        return Gateway.build(settings, observe)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
