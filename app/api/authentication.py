"""Which caller is calling, and what it may do. Denies what no view allows."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_args

from flask import Flask, g, request
from flask_smorest import Blueprint

from app.api import record
from app.callers import Callers
from app.errors import ErrorCode, GatewayError
from app.settings import CallerSettings, Scope
from app.verification.pictures import not_of_an_upload

View = TypeVar("View", bound=Callable[..., Any])

ANY_CALLER = "any caller"
OPEN = "open"
WRITING_SCOPES = frozenset(scope for scope in get_args(Scope) if scope.endswith(":write"))
_REQUIREMENT = "_gateway_requirement"
SECURITY: list[dict[str, list[str]]] = [{"callerKey": []}]


def requires(scope: Scope | None = None) -> Callable[[View], View]:
    """Let a view be called by callers with the scope; by any caller where it is None."""

    def decorate(view: View) -> View:
        scopes = {"x-required-scope": scope} if scope else {}
        documented: View = Blueprint.doc(security=SECURITY, **scopes)(view)
        setattr(documented, _REQUIREMENT, scope or ANY_CALLER)
        return documented

    return decorate


def open_to_all(view: View) -> View:
    """Let a view be called without a credential."""
    setattr(view, _REQUIREMENT, OPEN)
    return view


def requirement(view: Callable[..., Any]) -> str | None:
    """What a view asks of its callers: a scope, ANY_CALLER, OPEN; None if it does not say."""
    found: str | None = getattr(view, _REQUIREMENT, None)
    return found


def _choose_account(caller: CallerSettings) -> str:
    account = request.headers.get("Partner-Account")
    if account is None:
        return caller.accounts[0]
    if account not in caller.accounts:
        raise GatewayError(ErrorCode.FORBIDDEN, "`Partner-Account` is none of your accounts.")
    return account


def identify(app: Flask, callers: Callers) -> None:
    """Find out who calls, before every view that is not open; `g.caller` is then its name."""

    @app.before_request
    def find_caller() -> None:
        endpoint = request.endpoint
        if endpoint is None:  # no such route: 404 or 405 follows
            return
        needed = requirement(app.view_functions[endpoint])
        line = record.current()
        line.writes = needed in WRITING_SCOPES
        if needed != OPEN:
            g.needed = needed
            g.caller, g.rights = callers.identify(request.headers.get("Authorization"))
            line.caller = g.caller


def authorize(app: Flask) -> None:
    """Let a caller do what it may; `g.account` is then the name of the account it uses."""

    @app.before_request
    def check_rights() -> None:
        if "rights" not in g:  # open to all, or no such route
            return
        needed, rights = g.needed, g.rights
        if needed is None:
            raise GatewayError(ErrorCode.FORBIDDEN, "Nobody may call this.")
        if needed != ANY_CALLER and needed not in rights.scopes:
            raise GatewayError(ErrorCode.FORBIDDEN, f"You need the scope `{needed}`.")
        g.account = record.current().account = _choose_account(rights)
        customer, own = (request.view_args or {}).get("customer_id"), rights.customers
        if own is not None and customer is not None and not re.fullmatch(own, customer):
            raise GatewayError(ErrorCode.FORBIDDEN, "This customer is none of yours.")


def check_attachments(customer_id: str, attachments: Sequence[str]) -> None:
    """Hold a caller that is held to some customers to what was uploaded for this one.

    Raises:
        GatewayError: FORBIDDEN for a picture of others; ATTACHMENT_FORMAT, at each that no upload
            could have answered.
    """
    rights: CallerSettings = g.rights
    if rights.customers is None:
        return
    if not all(one.startswith(f"{customer_id}/") for one in attachments):
        raise GatewayError(ErrorCode.FORBIDDEN, "An attachment is not of this customer.")
    if errors := not_of_an_upload(customer_id, attachments):
        raise GatewayError(ErrorCode.ATTACHMENT_FORMAT, errors=errors)
