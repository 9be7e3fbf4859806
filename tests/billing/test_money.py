"""Amounts of bills, orders and refunds go from Huawei to the caller without a change of a digit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.support.declared_reads import get
from tests.support.sandbox_driver import SandboxDriver

Money = tuple[FlaskClient, SandboxDriver]
# At most 20 digits before the point, and the 8 places of a bill.
AMOUNTS = st.builds(
    lambda number, places: f"{Decimal(number).scaleb(-places):f}",
    st.integers(-(10**19), 10**19),
    st.integers(0, 8),
)


@pytest.fixture(scope="module")
def money(reads: FlaskClient, sandbox_url: str) -> Money:
    return reads, SandboxDriver(sandbox_url)


@given(consumed=AMOUNTS, refunded=AMOUNTS, adjusted=AMOUNTS, tax=AMOUNTS)
def test_a_bill_keeps_every_digit(
    money: Money, consumed: str, refunded: str, adjusted: str, tax: str
) -> None:
    reads, sandbox = money
    amounts = {"consumed": consumed, "refunded": refunded, "adjusted": adjusted, "tax": tax}
    sandbox.bill("2020-12", **amounts)
    bill = get(reads, "/v1/partner/bills/2020-12").json
    assert {name: bill[name] for name in amounts} == amounts
    assert Decimal(bill["due"]) == sum(map(Decimal, (consumed, refunded, adjusted)))


@given(official=AMOUNTS, amount=AMOUNTS, coupons=AMOUNTS, given_back=AMOUNTS)
def test_an_order_and_its_refund_keep_every_digit(
    money: Money, official: str, amount: str, coupons: str, given_back: str
) -> None:
    reads, sandbox = money
    paid = {"official": official, "amount": amount, "coupons": coupons}
    sandbox.order("CSM", customer_id="cust-money", refunds=[given_back], **paid)
    (listed,) = get(reads, "/v1/orders?customer_id=cust-money").json["items"]
    assert get(reads, "/v1/orders/CSM").json == listed
    shown = (listed["list_amount"], listed["amount"], listed["coupons"])
    assert shown == (official, amount, coupons)
    (refund,) = get(reads, "/v1/customers/cust-money/orders/CSM/refunds").json["items"]
    assert (refund["amount"], refund["currency"]) == (given_back, "USD")
