"""The choice of the account that a command works with."""

from collections.abc import Callable
from typing import Any

import click

from app.account import Account
from app.startup import built, configured


def account_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option `--account`."""
    return click.option(
        "--account", help="The account; needed if several accounts are configured."
    )(command)


def chosen(name: str | None) -> Account:
    """The account with this name, or the only one, of the configuration in GATEWAY_CONFIG.

    Raises:
        click.BadOptionUsage: if no account has this name, or if there are several and no name.
    """
    accounts = built(configured(), observe=lambda _: None).accounts
    if name is None and len(accounts) == 1:
        name = next(iter(accounts))
    if name is None or name not in accounts:
        raise click.BadOptionUsage("account", f"--account must be one of {', '.join(accounts)}")
    return accounts[name]
