"""Loads the configuration and builds the gateway from it, or ends the process with a message."""

import logging
import sys

import click
from flask.cli import FlaskGroup

from app.gateway import Gateway
from app.observability.exchange import Observe
from app.observability.logs import event, logger
from app.settings import (
    ConfigurationError,
    Settings,
    StateSettings,
    load_from_environment,
    notes,
)

_log = logger("startup")
_kept: list[Settings] = []


def looking_up_commands() -> bool:
    """Whether Flask builds the app only to list its commands; most need no configuration."""
    context = click.get_current_context(silent=True)
    return context is not None and isinstance(context.command, FlaskGroup)


def runs_a_command() -> bool:
    """Whether a command builds the app; otherwise the app is served."""
    return click.get_current_context(silent=True) is not None


def keep(settings: Settings) -> None:
    """Use this configuration from now on.

    A worker that replaces a killed one must not read a file that has changed since the start.
    """
    _kept[:] = [settings]


def configured() -> Settings:
    """The configuration that was kept, or else that of the file in GATEWAY_CONFIG.

    Ends the process with status 2 if the configuration is not valid.
    """
    if _kept:
        return _kept[0]
    try:
        return load_from_environment()
    except ConfigurationError as error:
        if looking_up_commands():
            return Settings.model_construct(accounts={}, callers={}, state=StateSettings())
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


def announce(settings: Settings, version: str) -> None:
    """Log what starts, and each note on its configuration as a warning.

    Commands do not call this: `config check` prints the notes.
    """
    event(
        _log,
        logging.INFO,
        "The gateway starts",
        version=version,
        accounts=list(settings.accounts),
        callers=list(settings.callers),
        state=settings.state.url.partition(":")[0],
        replicas=settings.state.replicas,
    )
    for note in notes(settings):
        text = "A setting needs attention"
        event(_log, logging.WARNING, text, key=note.key, note=note.text)


def built(settings: Settings, observe: Observe) -> Gateway:
    """The gateway. Ends the process with status 2 if a required file cannot be read."""
    try:
        return Gateway.build(settings, observe)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
