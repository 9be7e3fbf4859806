"""Partner Center's freeze and unfreeze of customers.

Sources: mc_00027 (freeze), mc_00028 (unfreeze). Either answers the failed customers under HTTP 200.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .budgets import RESELLER
from .calls import Answer, Call, json_answer
from .codes import CBC, UNKNOWN_TEXT
from .customers import Account
from .fields import Check, text, texts
from .magic import magic_code
from .partner_center import write
from .state import State
from .sub_customers import INDIRECT

MANY = 10

_KIND = text(20, "ACCOUNT|ACCOUNT_AND_RESOURCE")
_FIELDS: Mapping[str, Check] = {"customer_ids": texts(MANY, 64), "reason": text(256), **INDIRECT}

Change = Callable[[State, Account, Mapping[str, Any]], str | None]


def freeze(state: State, call: Call) -> Answer:
    """Freeze customers."""
    return _change_all(state, call, {**_FIELDS, "freeze_type": _KIND}, _freeze)


def unfreeze(state: State, call: Call) -> Answer:
    """Unfreeze customers, each by the kind of its freeze."""
    return _change_all(state, call, {**_FIELDS, "unfreeze_type": _KIND}, _unfreeze)


def _change_all(state: State, call: Call, fields: Mapping[str, Check], change: Change) -> Answer:
    def serve(state: State, asked: Mapping[str, Any]) -> Answer | None:
        codes = {one: _change(state, one, asked, change) for one in asked["customer_ids"]}
        details = [
            {"error_code": code, "error_msg": _text(code), "id": customer_id}
            for customer_id, code in codes.items()
            if code is not None
        ]
        if not details:
            return None
        answer = json_answer(200, {"error_details": details}, details[0]["error_code"])
        answer.took_effect = len(details) < len(codes)
        return answer

    optional = tuple(fields.keys() - {"customer_ids", "reason"})
    return write(state, call, serve, fields, optional)


def _text(code: str) -> str:
    return CBC.get(code.removeprefix("CBC."), (None, UNKNOWN_TEXT))[1]


def _change(state: State, customer_id: str, asked: Mapping[str, Any], change: Change) -> str | None:
    if code := magic_code(customer_id):
        return code
    customer = state.customers.get(customer_id)
    account = customer.associated(state.clock.now()) if customer else None
    if account is None:
        return "CBC.99000035"
    # CBC.5024 means the same. It is not documented which of the two Huawei answers.
    return change(state, account, asked) if account.association == RESELLER else "CBC.99005024"


def _freeze(state: State, account: Account, asked: Mapping[str, Any]) -> str | None:
    if account.frozen and state.settings.same_state_code:
        return state.settings.same_state_code
    if not account.frozen or state.settings.refreeze_changes_kind:
        account.freeze_type = asked.get("freeze_type", "ACCOUNT")
    account.frozen = True
    return None


def _unfreeze(state: State, account: Account, asked: Mapping[str, Any]) -> str | None:
    if not account.frozen:
        return state.settings.same_state_code
    if asked.get("unfreeze_type", "ACCOUNT") != account.freeze_type:
        return state.settings.unfreeze_mismatch_code
    account.frozen = False
    return None
