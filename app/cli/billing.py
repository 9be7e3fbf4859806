"""The commands of billing."""

import sys
import time
from decimal import Decimal

import click
from flask.cli import AppGroup

from app.account import Account
from app.billing.answers import SHOW_BILL
from app.billing.month import Month, begun
from app.billing.reconciling import AMOUNT, Comparison, NotComparable, compare
from app.cli.account import account_option, chosen
from app.errors import GatewayError
from app.huawei.pacing.deadline import READ, Errand

DIFFERS, NOT_COMPARED = 1, 2  # exit statuses

billing = AppGroup("billing", help="The partner's bills.")


class _Amount(click.ParamType[Decimal]):
    """A decimal that is not negative."""

    name = "amount"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """The decimal."""
        try:
            amount = Decimal(str(value))
        except ArithmeticError:
            amount = Decimal(-1)
        if not amount.is_finite() or amount < 0:
            self.fail("must be a decimal such as 0.01", param, ctx)
        return amount


@billing.command("reconcile")
@click.argument("month")
@account_option
@click.option(
    "--amount",
    default=AMOUNT,
    show_default=True,
    help="The column of the lines to add up: our name or Huawei's. Huawei does not document which "
    "column holds what it charges.",
)
@click.option(
    "--with",
    "of_bill",
    type=click.Choice(["consumed", "due"]),
    default="consumed",
    show_default=True,
    help="The amount of getPartnerBill to compare with.",
)
@click.option(
    "--tolerance", type=_Amount(), default="0", show_default=True, help="The difference to accept."
)
def reconcile(
    month: str, account: str | None, amount: str, of_bill: str, tolerance: Decimal
) -> None:
    """Compare the lines of a MONTH's bill (YYYY-MM) with its sum, for each currency.

    Exit status 0 if they are equal, 1 if they differ, 2 if they cannot be compared. The amounts of
    lines have up to 8 decimals, and Huawei charges with 2, so that the two seldom are equal:
    `--tolerance` is the largest difference that is ignored. GATEWAY_CONFIG names the configuration
    file.
    """
    parts = chosen(account)
    try:
        found = _compared(parts, month, amount, of_bill)
    except GatewayError as error:
        rules = " ".join(one.detail for one in error.errors)
        click.echo(f"{error.code.name}: {rules or error.detail}", err=True)
        sys.exit(NOT_COMPARED)
    except NotComparable as error:
        click.echo(error, err=True)
        sys.exit(NOT_COMPARED)
    equal = [_reported(one, amount, of_bill, tolerance) for one in found]
    sys.exit(0 if all(equal) else DIFFERS)


def _compared(account: Account, text: str, amount: str, of_bill: str) -> list[Comparison]:
    month: Month = begun(text, time.time())
    bill = account.partner_center.read(SHOW_BILL, _errand(), month=month)
    terminal = sys.stderr.isatty()

    def progress(lines: int) -> None:
        if terminal:
            click.echo(f"\r{lines} lines", nl=False, err=True)

    with account.bill_files.open(text, _errand(), time.time()) as file:
        try:
            return list(compare(file, bill, amount, of_bill, progress))
        finally:
            if terminal:
                click.echo(err=True)


def _errand() -> Errand:
    return Errand.within(READ, "cli", urgent=True)


def _reported(one: Comparison, amount: str, of_bill: str, tolerance: Decimal) -> bool:
    """Print a comparison; whether the two are equal."""
    equal = abs(one.difference) <= tolerance
    click.echo(
        f"{'equal  ' if equal else 'DIFFERS'} {one.currency}: {one.lines} lines, {amount} "
        f"{one.of_lines:f}; bill, {of_bill} {one.of_bill:f}; difference {one.difference:f}"
    )
    if not equal and abs(one.difference) <= one.by_cents:
        click.echo(
            f"        charging each line in whole cents explains up to {one.by_cents:f}", err=True
        )
    return equal
