"""The calls that the sandbox serves, by method and path."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from . import (
    bills,
    budgets,
    freezes,
    iam,
    obs,
    orders,
    partner_center,
    registrations,
    reviews,
    sub_customers,
)
from .api_gateway import BODY_LIMIT, authenticate, not_published, refusal, throttle
from .calls import Answer, Call
from .state import State


@dataclass(frozen=True, slots=True)
class Operation:
    """One upstream call: its name, its address and the function that serves it."""

    name: str
    method: str
    path: re.Pattern[str]
    serve: Callable[[State, Call], Answer]
    behind_gateway: bool = True
    body_limit: int | None = BODY_LIMIT
    calls_per_second: int | None = None  # where Huawei's limit is lower than the general one


def _operation(
    name: str,
    method: str,
    path: str,
    serve: Callable[[State, Call], Answer],
    *,
    behind_gateway: bool = True,
    calls_per_second: int | None = None,
) -> Operation:
    pattern = re.compile(path)
    return Operation(
        name, method, pattern, serve, behind_gateway, calls_per_second=calls_per_second
    )


V2 = "/v2/customers/realname-auths"
ORDERS = "/v2/orders/customer-orders"
SUB_CUSTOMERS = "/v2/partners/sub-customers"

OPERATIONS = (
    _operation(
        "verified-info",
        "PUT",
        r"/v1\.0/[^/]+/partner/customer-mgr/verified-info",
        partner_center.verified_info,
    ),
    _operation("result", "GET", f"{V2}/result", partner_center.result),
    _operation("individual", "POST", f"{V2}/individual", reviews.individual),
    _operation("enterprise", "POST", f"{V2}/enterprise", reviews.enterprise),
    _operation("change", "PUT", f"{V2}/enterprise", reviews.change),
    _operation("list_customers", "POST", f"{SUB_CUSTOMERS}/query", sub_customers.customers),
    _operation(
        "check_identity",
        "POST",
        f"{SUB_CUSTOMERS}/users/check-identity",
        registrations.check_identity,
        calls_per_second=5,  # Huawei's throttling page
    ),
    _operation("send_code", "POST", "/v2/bases/verificationcode/send", registrations.send_code),
    _operation("create_customer", "POST", SUB_CUSTOMERS, registrations.create),
    _operation("freeze", "POST", f"{SUB_CUSTOMERS}/freeze", freezes.freeze),
    _operation("unfreeze", "POST", f"{SUB_CUSTOMERS}/unfreeze", freezes.unfreeze),
    _operation("set_budget", "POST", f"{SUB_CUSTOMERS}/budget", budgets.update),
    _operation("list_budgets", "POST", f"{SUB_CUSTOMERS}/budget/query", budgets.show_many),
    _operation("list_budget_changes", "GET", f"{SUB_CUSTOMERS}/budget/records", budgets.records),
    _operation("show_budget", "GET", f"{SUB_CUSTOMERS}/budget", budgets.show),
    _operation("show_credit", "GET", "/v2/partners/credit/consumption-quota", sub_customers.credit),
    _operation("show_bill", "GET", "/v2/bills/partner-bills/postpaid-bill-summary", bills.show),
    _operation("list_orders", "GET", ORDERS, orders.orders),
    _operation("show_order", "GET", f"{ORDERS}/details/[^/]+", orders.order),
    _operation("list_refunds", "GET", f"{ORDERS}/refund-orders", orders.refunds),
    _operation(
        "list_resources", "POST", f"{SUB_CUSTOMERS}/on-demand-resources/query", orders.resources
    ),
    _operation("token", "POST", "/v3/auth/tokens", iam.token, behind_gateway=False),
    _operation(
        "security-token",
        "POST",
        r"/v3\.0/OS-CREDENTIAL/securitytokens",
        iam.security_token,
        behind_gateway=False,
    ),
)


def _unknown(_state: State, call: Call) -> Answer:
    return not_published(call)


UNKNOWN = _operation("unknown", "", "", _unknown)
OBJECTS = Operation("obs", "", re.compile(""), obs.serve, behind_gateway=False, body_limit=None)
NAMES = frozenset({*(operation.name for operation in OPERATIONS), "obs", "unknown", "*"})


def find_operation(state: State, call: Call) -> Operation:
    """Return the operation that this call addresses."""
    path = unquote(call.path)
    for operation in OPERATIONS:
        if operation.method == call.method and operation.path.fullmatch(path):
            return operation
    return OBJECTS if obs.addressed(state, call) else UNKNOWN


def carry_out(state: State, call: Call, operation: Operation) -> Answer:
    """Authenticate and throttle a call if it is behind the API gateway, and serve it.

    Raises:
        Refused: the API gateway or the service refuses the call.
    """
    if operation is UNKNOWN and not _has_credential(call):
        return not_published(call)
    if operation.behind_gateway:
        identity = authenticate(state, call)
        throttle(state, call, operation.name, identity, operation.calls_per_second)
        if identity.customer:
            # Partner Center refuses a customer's credential (CBC.0151, "access denied").
            return partner_center.access_denied(call)
    return operation.serve(state, call)


def _has_credential(call: Call) -> bool:
    return "authorization" in call.headers or "x-auth-token" in call.headers


def oversized(call: Call) -> Answer:
    """Return the answer to a body that is too large for the API gateway."""
    return refusal(call, "0201", "Request entity too large", 413).answer
