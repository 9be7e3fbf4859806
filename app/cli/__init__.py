"""The command line: `flask --app app …`."""

from app.cli.commands import init_app

__all__ = ["init_app"]
