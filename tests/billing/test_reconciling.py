"""`flask billing reconcile`: what it compares, what it prints, and its exit status."""

from __future__ import annotations

import os
import pty
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from app import create_app
from app.settings import Settings
from tests.support.bills import MONTH, bill_settings, csv_file, packed, put
from tests.support.command_line import flask
from tests.support.sandbox_driver import SandboxDriver

Run = Callable[..., Result]
COLUMNS = {"Amount": "amount", "Currency": "currency"}
HEADER = ["Customer ID", "Amount", "Currency"]


def document(settings: Settings) -> str:
    return yaml.safe_dump(settings.model_dump(mode="json", exclude_unset=True))


@pytest.fixture
def run(tmp_path: Path, sandbox: SandboxDriver, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command with these arguments."""
    settings = bill_settings(tmp_path, sandbox.url, columns=COLUMNS)
    path = tmp_path / "config.yaml"
    path.write_text(document(settings))
    monkeypatch.setenv("GATEWAY_CONFIG", str(path))
    app = create_app(settings)

    def reconcile(*arguments: str, account: str | None = "default") -> Result:
        chosen = ["--account", account] if account else []
        return app.test_cli_runner().invoke(args=["billing", "reconcile", *arguments, *chosen])

    return reconcile


def lines(*amounts: Sequence[str]) -> bytes:
    return packed(csv_file([HEADER, *(["cust-1", *one] for one in amounts)]))


def test_equal_sums_exit_with_0(run: Run, sandbox: SandboxDriver) -> None:
    made = sandbox.bill_file(MONTH, lines=250)
    sandbox.bill(MONTH, consumed=made["amount"])
    done = run(MONTH)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        f"equal   USD: 250 lines, amount {made['amount']}; bill, consumed {made['amount']}; "
        "difference 0.00000000\n"
    )


def test_the_last_digit_counts(run: Run, sandbox: SandboxDriver) -> None:
    large = "99999999999999999999999999.00000001"
    put(sandbox.url, lines([large, "USD"], ["0.00000001", "USD"], ["-0.00000001", "USD"]))
    sandbox.bill(MONTH, consumed="99999999999999999999999999.00000002")
    done = run(MONTH)
    assert done.exit_code == 1
    assert "difference -0.00000001\n" in done.stdout
    assert "whole cents explains up to 0.03" in done.stderr
    assert run(MONTH, "--tolerance", "0.00000001").exit_code == 0


def test_each_currency_is_compared(run: Run, sandbox: SandboxDriver) -> None:
    put(sandbox.url, lines(["1.5", "USD"], ["2", "EUR"], ["0.5", " USD "]))
    sandbox.bill(MONTH, consumed="2.0")
    done = run(MONTH)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "DIFFERS EUR: 1 lines, amount 2; bill, consumed 0; difference 2",
        "equal   USD: 2 lines, amount 2.0; bill, consumed 2.0; difference 0.0",
    ]


def test_the_column_and_the_amount_of_the_bill_can_be_chosen(
    run: Run, sandbox: SandboxDriver
) -> None:
    sandbox.bill_file(MONTH, lines=3)
    sandbox.bill(MONTH, consumed="1", refunded="-0.99952486", adjusted="0")
    done = run(MONTH, "--amount", "list_amount", "--with", "due")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "list_amount 0.00047514; bill, due 0.00047514" in done.stdout


def test_a_column_can_be_chosen_by_huaweis_name(run: Run, sandbox: SandboxDriver) -> None:
    put(sandbox.url, lines(["1.5", "USD"]))
    sandbox.bill(MONTH, consumed="1.5")
    assert "Amount 1.5; bill" in run(MONTH, "--amount", "Amount").stdout


def test_a_name_of_several_columns_chooses_none(run: Run, sandbox: SandboxDriver) -> None:
    put(sandbox.url, packed(csv_file([[*HEADER, "Amount"], ["cust-1", "1", "USD", "2"]])))
    done = run(MONTH, "--amount", "Amount")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "several columns 'Amount'; its columns are" in done.stderr
    assert "amount_2 2; bill" in run(MONTH, "--amount", "amount_2").stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["2026-13"], "VALIDATION_FAILED: The parameter must be a month such as 2026-10."),
        (["2999-01"], "VALIDATION_FAILED"),
        (["2026-04"], "BILL_NOT_READY"),
        ([MONTH, "--amount", "nothing"], "no column 'nothing'; its columns are 'customer_id'"),
        ([MONTH, "--amount", "customer_id"], "line 1 has no amount in the column 'customer_id'"),
        ([MONTH, "--tolerance", "-1"], "must be a decimal"),
        ([MONTH, "--tolerance", "NaN"], "must be a decimal"),
        ([MONTH, "--with", "tax"], "'tax' is not one of"),
    ],
)
def test_what_cannot_be_compared_exits_with_2(
    run: Run, sandbox: SandboxDriver, arguments: list[str], reason: str
) -> None:
    sandbox.bill_file(MONTH, lines=3)
    done = run(*arguments)
    assert done.exit_code == 2
    assert reason in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("account", [None, "third"])
def test_an_account_must_be_named_where_there_are_several(run: Run, account: str | None) -> None:
    done = run(MONTH, account=account)
    assert done.exit_code == 2
    assert "--account must be one of default, second" in done.stderr


def test_a_file_that_breaks_off_is_not_compared(run: Run, sandbox: SandboxDriver) -> None:
    put(sandbox.url, lines(*[["1", "USD"]] * 5000)[:-9])
    done = run(MONTH)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "UPSTREAM_MALFORMED: The bill file is truncated.\n"


def test_progress_is_shown_on_a_terminal_only(tmp_path: Path, sandbox: SandboxDriver) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(document(bill_settings(tmp_path, sandbox.url, columns=COLUMNS)))
    sandbox.bill_file(MONTH, lines=5)
    command = ("billing", "reconcile", MONTH, "--account", "default")
    plain = flask(*command, GATEWAY_CONFIG=str(path))
    assert (plain.returncode, plain.stderr.count("\r")) == (1, 0)
    ours, theirs = pty.openpty()
    try:
        shown = flask(*command, errors=theirs, GATEWAY_CONFIG=str(path))
        assert b"\r5 lines" in os.read(ours, 10_000)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (shown.returncode, shown.stdout) == (1, plain.stdout)
