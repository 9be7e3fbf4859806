"""The command line: `flask --app app …`."""

import os
import sys
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup, FlaskGroup

from app import settings as configuration

config = AppGroup("config", help="The configuration file.")


@config.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def check_config(file: Path) -> None:
    """Check a configuration FILE without serving; exit status 2 if it cannot be used."""
    try:
        settings = configuration.load(file)
    except configuration.ConfigurationError as error:
        click.echo(error, err=True)
        sys.exit(2)
    click.echo(
        f"{file} can be used: accounts {', '.join(settings.accounts)}; "
        f"callers {', '.join(settings.callers) or 'none'}."
    )
    for name, account in settings.accounts.items():
        for pair in account.credentials:
            for path in (pair.access_key_file, pair.secret_key_file):
                if not path.is_file():
                    click.echo(f"note: account {name}: {path} is not there yet", err=True)


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


def init_app(app: Flask) -> None:
    """Add the commands to an app."""
    app.cli.add_command(config)
    app.cli.add_command(run_sandbox)
