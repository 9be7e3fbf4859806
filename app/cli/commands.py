"""The commands of the configuration, the credentials, errors and verifications."""

import json
import re
import sys
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from app import settings as configuration
from app.cli.account import account_option, chosen
from app.cli.billing import billing
from app.errors import ErrorCode, GatewayError
from app.fields import utc
from app.huawei.codes import Verdict
from app.huawei.pacing.deadline import READ, Errand
from app.huawei.partner_center import PartnerCenter
from app.settings import ConfigurationError
from app.startup import built, configured
from app.texts import CUSTOMER_ID

config = AppGroup("config", help="The configuration file.")
credentials = AppGroup("credentials", help="The credentials of the accounts.")
errors = AppGroup("errors", help="The error catalogue.")
verification = AppGroup("verification", help="The verifications of customers.")


@config.command("check")
@click.argument("file", type=click.Path(path_type=Path), envvar="GATEWAY_CONFIG")
def check_config(file: Path) -> None:
    """Check a configuration FILE without serving; exit status 2 if it cannot be used.

    Without FILE it checks the file that GATEWAY_CONFIG names.
    """
    try:
        settings = configuration.load(file)
        configuration.check_authorities(settings, present=True)
    except ConfigurationError as error:
        click.echo(error, err=True)
        sys.exit(2)
    click.echo(
        f"{file} can be used: accounts {', '.join(settings.accounts)}; "
        f"callers {', '.join(settings.callers) or 'none'}."
    )
    for note in configuration.notes(settings):
        click.echo(f"note: {note}", err=True)


@credentials.command("check")
def check_credentials() -> None:
    """Send one probe with each account's credential.

    Exit status 1 if Huawei does not accept each of them. GATEWAY_CONFIG names the configuration
    file.
    """
    gateway = built(configured(), observe=lambda _: None)
    failed = False
    for name, account in gateway.accounts.items():
        accepted, text = _checked(account.partner_center)
        failed = failed or not accepted
        click.echo(f"{'ok  ' if accepted else 'FAIL'} {name}: {text}")
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


@verification.command("get")
@click.argument("customer")
@account_option
def get_verification(customer: str, account: str | None) -> None:
    """Read the status of a CUSTOMER's verification from Huawei.

    Prints the JSON of the contract. Exit status 1 if the status cannot be read. GATEWAY_CONFIG
    names the configuration file.
    """
    if not re.fullmatch(CUSTOMER_ID, customer):
        raise click.BadParameter("a customer id has 1 to 64 letters, digits, _ or -")
    reads = chosen(account).verifications.reads
    try:
        found = reads.read(customer, Errand.within(READ, "cli", urgent=True), fresh=True)
    except GatewayError as error:
        click.echo(f"{error.code.name}: {error.detail}", err=True)
        sys.exit(1)
    answer = {
        "customer_id": found.customer_id,
        "status": found.status,
        "final": found.final,
        "backend": found.backend,
        "checked_at": utc(found.checked_at),
    }
    if found.reason is not None:
        answer["rejection"] = {"reason": found.reason}
    click.echo(json.dumps(answer, indent=2))


@errors.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def list_errors(as_json: bool) -> None:
    """List every error code: status, whether to repeat, who must act, what happened."""
    if as_json:
        entries = [
            {
                "code": code.name,
                "status": code.status,
                "retry": code.retry,
                "write_retry": code.write_retry,
                "fault": code.fault,
                "title": code.title,
            }
            for code in ErrorCode
        ]
        click.echo(json.dumps(entries, indent=2))
        return
    width = max(map(len, ErrorCode.__members__))
    for code in ErrorCode:
        advice = f"{code.write_retry:16} {code.fault:8}"
        click.echo(f"{code.name:{width}} {code.status} {advice} {code.title}")


def init_app(app: Flask) -> None:
    """Add the commands to an app."""
    app.cli.add_command(billing)
    app.cli.add_command(config)
    app.cli.add_command(credentials)
    app.cli.add_command(errors)
    app.cli.add_command(verification)
