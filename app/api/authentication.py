"""Identifies the caller and checks its rights. A view that declares no rights is closed."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_args

from flask import current_app, g, request
from flask_smorest import Blueprint

from app.api.record import Record
from app.callers import Callers
from app.errors import ErrorCode, GatewayError
from app.settings import CallerSettings, Scope

View = TypeVar("View", bound=Callable[..., Any])

ANY_CALLER = "any caller"
OPEN = "open"
WRITING_SCOPES = frozenset(scope for scope in get_args(Scope) if scope.endswith(":write"))
_REQUIREMENT = "_gateway_requirement"
_ABOUT_CUSTOMERS = "_gateway_about_customers"
SECURITY: list[dict[str, list[str]]] = [{"callerKey": []}]


def requires(scope: Scope | None = None, *, about_customers: bool = True) -> Callable[[View], View]:
    """Open a view to callers with the scope, or to every caller if the scope is None.

    Args:
        scope: The scope.
        about_customers: Whether the view answers about customers. A caller that is limited to some
            customers may then call it only where its path names one of them.
    """

    def decorate(view: View) -> View:
        scopes = {"x-required-scope": scope} if scope else {}
        documented: View = Blueprint.doc(security=SECURITY, **scopes)(view)
        setattr(documented, _REQUIREMENT, scope or ANY_CALLER)
        setattr(documented, _ABOUT_CUSTOMERS, about_customers)
        return documented

    return decorate


def open_to_all(view: View) -> View:
    """Open a view to requests without a credential."""
    setattr(view, _REQUIREMENT, OPEN)
    return view


def requirement(view: Callable[..., Any]) -> str | None:
    """The scope that a view requires, ANY_CALLER or OPEN; None if the view declares nothing."""
    found: str | None = getattr(view, _REQUIREMENT, None)
    return found


def about_customers(view: Callable[..., Any]) -> bool:
    """Whether a view answers about customers. A view that says nothing does."""
    return bool(getattr(view, _ABOUT_CUSTOMERS, True))


def _choose_account(caller: CallerSettings) -> str:
    account = request.headers.get("Partner-Account")
    if account is None:
        return caller.accounts[0]
    if account not in caller.accounts:
        raise GatewayError(ErrorCode.FORBIDDEN, "`Partner-Account` must be one of your accounts.")
    return account


def identify(callers: Callers) -> Callable[[], None]:
    """The hook that identifies the caller of a view that is not open, as `g.caller`."""

    def identify_caller() -> None:
        endpoint = request.endpoint
        if endpoint is None:  # no such route: 404 or 405 follows
            return
        needed = requirement(current_app.view_functions[endpoint])
        line: Record = g.record
        line.writes = needed in WRITING_SCOPES
        if needed != OPEN:
            g.needed = needed
            g.caller, g.rights = callers.identify(request.headers.get("Authorization"))
            line.caller = g.caller

    return identify_caller


def authorize() -> None:
    """The hook that checks the caller's rights, and sets `g.account` to the request's account.

    Raises:
        GatewayError: FORBIDDEN.
    """
    if "rights" not in g:  # open to all, or no such route
        return
    needed, rights = g.needed, g.rights
    if needed is None:
        raise GatewayError(ErrorCode.FORBIDDEN, "No caller may use this path.")
    if needed != ANY_CALLER and needed not in rights.scopes:
        raise GatewayError(ErrorCode.FORBIDDEN, f"You need the scope `{needed}`.")
    g.account = g.record.account = _choose_account(rights)
    if rights.customers is not None:
        _check_customer(rights.customers)


def _check_customer(own: str) -> None:
    """Check the customer in the path of a caller that is limited to some customers."""
    customer = (request.view_args or {}).get("customer_id")
    if customer is None:
        if about_customers(current_app.view_functions[str(request.endpoint)]):
            text = "You may access some customers only, and this path is about all of them."
            raise GatewayError(ErrorCode.FORBIDDEN, text)
    elif not re.fullmatch(own, customer):
        raise GatewayError(ErrorCode.FORBIDDEN, "You may not access this customer.")


def may_access(customer_id: str) -> bool:
    """Whether the caller may access a customer."""
    own = g.rights.customers
    return own is None or re.fullmatch(own, customer_id) is not None


def check_customers(customer_ids: Sequence[str]) -> None:
    """Check the customers that a query names.

    Raises:
        GatewayError: FORBIDDEN if the caller is limited to some customers and one is another.
    """
    if not all(map(may_access, customer_ids)):
        raise GatewayError(ErrorCode.FORBIDDEN, "You may not access one of these customers.")
