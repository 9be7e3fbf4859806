"""Partner Center's registration of customers.

Sources: mc_00023 (check an identity), mc_00024 (send a verification code), mc_00016 (create). The
lengths and the error codes of mc_00016 are those of China's page.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from .calls import Answer, Call, json_answer
from .codes import code_answer
from .customers import Account, Customer
from .fields import Check, FieldError, constant, flag, integer, text, within
from .magic import magic_answer, magic_email, times_out, waits
from .mails import Mail, problem, use
from .partner_center import read_body, refuse_field
from .settings import PLATFORM_ID
from .state import State
from .sub_customers import INDIRECT
from .times import utc

HOUR, DAY = 3600.0, 86400.0
EMAIL = r"[^@\s]+@[^@\s]+"
CHECKED: Mapping[str, str] = {
    "email": EMAIL,
    "mobile": r"\d{4}-\d+",
    "name": r"[a-zA-Z-][a-zA-Z0-9_-]{4,31}",
}
LONGEST_TIMEOUT = 60  # minutes; a longer one becomes 5

CHECK: Mapping[str, Check] = {"search_type": text(6, "|".join(CHECKED)), "search_value": text(64)}
SEND: Mapping[str, Check] = {
    "receiver_type": integer(2),
    "email": text(64, EMAIL),
    "timeout": within(1, 3000),
    "lang": text(5, "zh-cn|en-us"),
}
CREATE: Mapping[str, Check] = {
    "domain_area": text(2, "[A-Z]{2}"),
    "xaccount_id": text(128),
    "xaccount_type": constant(PLATFORM_ID),
    "domain_name": lambda _, value: value,  # a malformed one has a code of its own
    "email": text(256, EMAIL),
    "verification_code": text(6, ".{6}"),
    "password": lambda _, value: value,  # as the name
    "is_close_market_ms": text(5, "true|false"),
    "include_association_result": flag(),  # its effect is not documented: none here
    **INDIRECT,
}
CREATE_MANDATORY = {"domain_area", "xaccount_id", "xaccount_type"}


def check_identity(state: State, call: Call) -> Answer:
    """Answer whether an e-mail, a phone number or a login name can be registered."""
    try:
        asked = read_body(call, CHECK)
        kind, value = asked["search_type"], asked["search_value"]
        if not re.fullmatch(CHECKED[kind], value) or (kind == "name" and _reserved(value)):
            raise FieldError("search_value", value, f"is not valid for {kind}")
    except FieldError as error:
        return refuse_field(call, error)
    magic = magic_email(value, call.request_id)
    if magic is not None:
        return magic
    taken = {"email": _emails, "name": _names, "mobile": _phones}[kind](state)
    result = "used_by_user" if value in taken else "available"
    numbers = {"mobile_remain_available_num": 5} if kind == "mobile" else {}
    found = {"error_code": "CBC.0000", "check_result": result, **numbers}
    return json_answer(200, found, "CBC.0000")


def send_code(state: State, call: Call) -> Answer:
    """Send a mail with a verification code; the control call `mails` lists the mails."""
    try:
        asked = read_body(call, SEND, ("timeout", "lang"))
    except FieldError as error:
        return refuse_field(call, error)
    email, now = asked["email"], state.clock.now()
    magic = magic_email(email, call.request_id)
    if magic is not None:
        return magic
    ages = [now - mail.sent_at for mail in state.mails if mail.email == email]
    limits = ((HOUR, state.settings.codes_per_hour), (DAY, state.settings.codes_per_day))
    if any(sum(age < seconds for age in ages) >= most for seconds, most in limits):
        return code_answer("CBC.99004015", call.request_id)
    minutes = asked.get("timeout", 10)
    ends = now + 60 * (minutes if minutes <= LONGEST_TIMEOUT else 5)
    code = state.settings.mail_code or f"{secrets.randbelow(10**6):06}"
    state.mails.append(Mail(email, code, asked.get("lang", "zh-cn"), now, ends))
    return Answer(204)


def create(state: State, call: Call) -> Answer:
    """Create an account at once; its association follows."""
    try:
        # An empty name or null: "Huawei makes a random one".
        asked = read_body(call, CREATE, tuple(CREATE.keys() - CREATE_MANDATORY))
        if ("email" in asked) != ("verification_code" in asked):
            raise FieldError("verification_code", None, "comes with an e-mail only")
    except FieldError as error:
        return refuse_field(call, error)
    magic = magic_answer(asked["xaccount_id"], call.request_id, default_status=400)
    if magic is not None:
        return magic
    code = _create_problem(state, asked)
    if code is not None:
        return code_answer(code, call.request_id)
    if "email" in asked:
        use(state.mails, asked["email"])
    created = _add(state, asked)
    if times_out(asked["xaccount_id"]):
        answer = {"error_code": "CBC.99000050", "error_msg": "The association timed out."}
        late = json_answer(500, answer | created, "CBC.99000050")
        late.took_effect = True
        return late
    return json_answer(200, created)


def _create_problem(state: State, asked: Mapping[str, Any]) -> str | None:
    """Return the error code for a creation; the order of the checks is the sandbox's own."""
    name, email, password = asked.get("domain_name"), asked.get("email"), asked.get("password")
    if name and not _is_name(name):
        return "CBC.99000031"
    if password is not None and not _is_password(password, name, email):
        return "CBC.99000036"
    if asked["xaccount_id"] in {account.xaccount_id for account in _accounts(state)}:
        return "CBC.99000039"
    if name and name in _names(state):
        return "CBC.99000038"
    if email is None:
        return None
    if email in _emails(state):
        return state.settings.email_taken_code
    return problem(state.mails, email, asked["verification_code"], state.clock.now())


def _add(state: State, asked: Mapping[str, Any]) -> dict[str, str]:
    now, customer_id = state.clock.now(), secrets.token_hex(16)
    seconds = None if waits(asked["xaccount_id"]) else state.settings.association_seconds
    associates_at = None if seconds is None else now + seconds
    account = Account(
        name=asked.get("domain_name") or f"sandbox_{secrets.token_hex(12)}",
        xaccount_id=asked["xaccount_id"],
        email=asked.get("email", ""),
        country="",  # the list has telephone codes, and the sandbox does not know them
        associated_on="" if associates_at is None else utc(associates_at),
        frozen=True,  # mc_00008; of which kind is not documented
    )
    state.customers[customer_id] = Customer(account=account, associates_at=associates_at)
    return {"domain_id": customer_id, "domain_name": account.name}


def _is_name(name: Any) -> bool:
    shape = r"[a-zA-Z_-][a-zA-Z0-9_-]{4,31}"
    return isinstance(name, str) and bool(re.fullmatch(shape, name)) and not _reserved(name)


def _reserved(name: str) -> bool:
    return name.startswith(("op_", "shadow_")) or name.isdigit()


def _is_password(password: Any, name: str | None, email: str | None) -> bool:
    if not isinstance(password, str) or not 8 <= len(password) <= 32:
        return False
    kinds = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")
    mixed = sum(bool(re.search(kind, password)) for kind in kinds) >= 2
    return mixed and password not in {name, (name or "")[::-1], email}


def _accounts(state: State) -> Iterable[Account]:
    return (one.account for one in state.customers.values() if one.account)


def _names(state: State) -> set[str]:
    return {account.name for account in _accounts(state)}


def _emails(state: State) -> set[str]:
    return {account.email for account in _accounts(state)}


def _phones(state: State) -> set[str]:
    return {account.phone for account in _accounts(state)}
