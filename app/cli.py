"""The command line: `flask --app app …`."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup, FlaskGroup

from app import settings as configuration
from app.errors import GatewayError
from app.gateway import Gateway
from app.partner_center.client import PartnerCenter
from app.partner_center.codes import Verdict
from app.partner_center.exchange import Exchange
from app.settings import ConfigurationError, Settings, StateSettings

config = AppGroup("config", help="The configuration file.")
credentials = AppGroup("credentials", help="The credentials of the accounts.")


@config.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def check_config(file: Path) -> None:
    """Check a configuration FILE without serving; exit status 2 if it cannot be used."""
    try:
        settings = configuration.load(file)
    except ConfigurationError as error:
        click.echo(error, err=True)
        sys.exit(2)
    click.echo(
        f"{file} can be used: accounts {', '.join(settings.accounts)}; "
        f"callers {', '.join(settings.callers) or 'none'}."
    )
    for key in configuration.without_effect(settings):
        click.echo(f"note: {key} has no effect in this version", err=True)
    for key, path in configuration.missing_files(settings):
        click.echo(f"note: {key}: {path} is not there", err=True)


@credentials.command("check")
def check_credentials() -> None:
    """Try each account's credential with one harmless read.

    Exit status 1 if one of them is not accepted. The configuration is the one that
    GATEWAY_CONFIG names.
    """
    gateway = built(configured(), observe=lambda _: None)
    failed = False
    for name, partner_center in gateway.partner_centers.items():
        good, text = _checked(partner_center)
        failed = failed or not good
        click.echo(f"{'ok  ' if good else 'FAIL'} {name}: {text}")
    sys.exit(1 if failed else 0)


def _checked(partner_center: PartnerCenter) -> tuple[bool, str]:
    try:
        answer = partner_center.check()
    except GatewayError as error:
        return False, f"{error.code.name}: {error.detail}"
    failure = answer.failure
    if answer.verdict is not Verdict.ACCEPTED:
        code = answer.upstream.code or f"HTTP {answer.upstream.status}"
        name = failure.code.name if failure else "UPSTREAM_MALFORMED"
        return False, f"reached, but not accepted: {name} ({code})"
    if failure is not None and failure.code.fault == "GATEWAY":
        return False, f"accepted, but {failure.code.name} ({answer.upstream.code})"
    return True, "reached, signed, accepted as a partner"


@click.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8090, show_default=True)
def run_sandbox(host: str, port: int) -> None:
    """Serve the stand-in for Huawei until Ctrl-C.

    It runs as a program of its own: it is the gateway's independent judge, so neither imports
    the other.
    """
    command = [sys.executable, "-m", "app.sandbox", "--host", host, "--port", str(port)]
    os.execv(sys.executable, command)  # noqa: S606 - no shell, and nothing of the user's in it


def looking_up_commands() -> bool:
    """Whether the app is built only to find its commands, most of which need no configuration."""
    context = click.get_current_context(silent=True)
    return context is not None and isinstance(context.command, FlaskGroup)


def configured() -> Settings:
    """The configuration that GATEWAY_CONFIG names; ends the process with 2 if it cannot be used."""
    try:
        return configuration.load_from_environment()
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


def init_app(app: Flask) -> None:
    """Add the commands to an app."""
    app.cli.add_command(config)
    app.cli.add_command(credentials)
    app.cli.add_command(run_sandbox)
