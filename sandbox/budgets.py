"""Partner Center's budgets of the customers.

Sources: mt_01004 (one), mt_01005 (set), mt_01006 (many), mt_01007 (records).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from .calls import Answer, Call
from .customers import Account, BudgetRecord
from .fields import Check, amount, integer, text, texts, within
from .partner_center import read, write
from .settings import IAM_USER
from .state import State
from .sub_customers import DEFAULT_PAGE, INDIRECT, MAX_OFFSET, MAX_PAGE
from .times import utc

RESELLER = "3"
MOST = 2147483647
MANY = 100

_TYPE = text(7, "MONTHLY|PACKAGE")
_MONEY = {"measure_id": 1, "currency": "USD"}
UPDATE: Mapping[str, Check] = {
    "customer_id": text(64),
    "budget_amount": amount(MOST, places=2),
    "cancel_partner_frozen": text(1, "[01]"),
    "budget_type": _TYPE,
    "frozen_operate_type": integer(0, 1),
    **INDIRECT,
}
RECORDS: Mapping[str, Check] = {
    "customer_id": text(64),
    "operation_type": text(7, "SETTING|DELETE"),
    "budget_type": _TYPE,
    "offset": within(0, MAX_OFFSET),
    "limit": within(1, MAX_PAGE),
    **INDIRECT,
}


def show(state: State, call: Call) -> Answer:
    """Answer a customer's budget. A setting chooses the answer for a customer without one."""
    return read(state, call, _show, {"customer_id": text(64), **INDIRECT}, tuple(INDIRECT))


def show_many(state: State, call: Call) -> Answer:
    """Answer the budgets of up to 100 customers; other ids than the partner's are left out."""
    fields = {"customer_ids": texts(MANY, 64), **INDIRECT}
    return read(state, call, _show_many, fields, tuple(INDIRECT))


def records(state: State, call: Call) -> Answer:
    """Answer a page of the changes of a customer's budget."""
    return read(state, call, _records, RECORDS, tuple(RECORDS.keys() - {"customer_id"}))


def update(state: State, call: Call) -> Answer:
    """Set a customer's budget to an amount."""
    optional = tuple(UPDATE.keys() - {"customer_id", "budget_amount"})
    return write(state, call, _update, UPDATE, optional)


def _account(state: State, customer_id: str) -> Account | None:
    customer = state.customers.get(customer_id)
    return customer.associated(state.clock.now()) if customer else None


def _amounts(account: Account) -> dict[str, Any]:
    return {
        "budget_amount": Decimal(account.budget.amount),
        "used_amount": Decimal(account.budget.used),
        "budget_type": account.budget.type,
    }


def _without_budget(state: State, account: Account) -> bool:
    return state.settings.no_budget_code is not None and Decimal(account.budget.amount) == 0


def _show(state: State, asked: Mapping[str, Any]) -> Mapping[str, Any] | str:
    account = _account(state, asked["customer_id"])
    if account is None:
        return "CBC.99000035"
    if _without_budget(state, account):
        return state.settings.no_budget_code or ""
    return {**_MONEY, **_amounts(account)}


def _show_many(state: State, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    found = {customer_id: _account(state, customer_id) for customer_id in asked["customer_ids"]}
    infos = [
        {"customer_id": customer_id, **_amounts(account)}
        for customer_id, account in found.items()
        if account and account.association == RESELLER and not _without_budget(state, account)
    ]
    return {**_MONEY, "budget_infos": infos}


def _records(state: State, asked: Mapping[str, Any]) -> Mapping[str, Any] | str:
    if _account(state, asked["customer_id"]) is None:
        return "CBC.99000035"
    found = [
        {
            "budget_amount": Decimal(record.amount),
            "operation_type": "SETTING",
            "operation_time": record.at,
            "operator": IAM_USER,
            "budget_type": record.type,
            "partner_corp_name": "Sandbox Partner",
            "partner_account_name": "partner",
        }
        for record in state.customers[asked["customer_id"]].budget_records
        if asked.get("budget_type", record.type) == record.type
        and asked.get("operation_type", "SETTING") == "SETTING"
    ]
    if state.settings.newest_record_first:
        found.reverse()
    begin, limit = asked.get("offset", 0), asked.get("limit", DEFAULT_PAGE)
    return {"total_count": len(found), **_MONEY, "record_list": found[begin : begin + limit]}


def _update(state: State, asked: Mapping[str, Any]) -> str | None:
    account = _account(state, asked["customer_id"])
    if account is None:
        return "CBC.99000035"
    if account.association != RESELLER:
        return "CBC.99005024"
    kind, number = asked.get("budget_type", "MONTHLY"), f"{asked['budget_amount']:f}"
    account.budget = replace(account.budget, amount=number, type=kind)
    if "frozen_operate_type" in asked:
        account.freezes_when_exceeded = asked["frozen_operate_type"] == 1
    if asked.get("cancel_partner_frozen") == "1":
        account.frozen = False
    record = BudgetRecord(number, kind, utc(state.clock.now()))
    state.customers[asked["customer_id"]].budget_records.append(record)
    return None
