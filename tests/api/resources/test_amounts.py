"""Amounts go from Huawei to the caller without a change of one digit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.support.declared_reads import ROWS, answers, get
from tests.support.gateway import code
from tests.support.sandbox_driver import SandboxDriver

ROW = next(row for row in ROWS if row.operation == "show_budget")


@pytest.fixture(scope="module")
def amounts(reads: FlaskClient, sandbox_url: str) -> Iterator[tuple[FlaskClient, SandboxDriver]]:
    sandbox = SandboxDriver(sandbox_url)
    yield reads, sandbox
    sandbox.forget_customer("cust-money")


@given(whole=st.integers(-(10**20), 10**20), places=st.integers(0, 8))
def test_an_amount_keeps_every_digit(
    amounts: tuple[FlaskClient, SandboxDriver], whole: int, places: int
) -> None:
    digits = f"{abs(whole):0{places + 1}d}"
    cut = len(digits) - places
    amount = ("-" if whole < 0 else "") + digits[:cut] + ("." + digits[cut:] if places else "")
    reads, sandbox = amounts
    sandbox.customer("cust-money", budget={"amount": amount, "used": amount})
    answer = get(reads, "/v1/customers/cust-money/budget").json
    assert (answer["amount"], answer["used"]) == (amount, amount)


@pytest.mark.parametrize("value", ["1e5", "NaN", "Infinity", "", "1,000.00", " 1", True, [], {}])
def test_an_amount_that_is_no_decimal_is_malformed(
    reads: FlaskClient, sandbox: SandboxDriver, value: Any
) -> None:
    answers(sandbox, ROW, ROW.huaweis | {"budget_amount": value})
    assert code(get(reads, ROW.path)) == "UPSTREAM_MALFORMED"


def test_an_amount_with_a_huge_exponent_is_not_expanded(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    text = json.dumps(ROW.huaweis).replace("500", "1e999999999")
    answers(sandbox, ROW, text)
    assert code(get(reads, ROW.path)) == "UPSTREAM_MALFORMED"
