"""Which caller is calling, and what it may do. Denies what no view allows."""

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from flask_smorest import Blueprint

from app.errors import ErrorCode, GatewayError
from app.settings import CallerSettings, Scope

View = TypeVar("View", bound=Callable[..., Any])

ANY_CALLER = "any caller"
OPEN = "open"
_REQUIREMENT = "_gateway_requirement"
SECURITY: list[dict[str, list[str]]] = [{"callerKey": []}]


class Callers:
    """The callers of the configuration, found by the digests of their keys."""

    def __init__(self, callers: Mapping[str, CallerSettings]) -> None:
        self._callers = callers
        self._by_digest = {
            digest: name for name, caller in callers.items() for digest in caller.keys_sha256
        }

    def identify(self, authorization: str | None) -> tuple[str, CallerSettings]:
        """The name and settings of the caller whose key the header carries.

        The look-up is by the key's digest, whose bytes a caller cannot choose, and the digests
        are then compared in constant time: timing tells nothing about a key.

        Raises:
            GatewayError: UNAUTHENTICATED.
        """
        scheme, _, key = (authorization or "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise GatewayError(
                ErrorCode.UNAUTHENTICATED, "Send your key as `Authorization: Bearer <key>`."
            )
        digest = sha256(key.encode("latin-1", "replace")).hexdigest()
        name = self._by_digest.get(digest)
        if name is not None:
            caller = self._callers[name]
            if any(hmac.compare_digest(digest, known) for known in caller.keys_sha256):
                return name, caller
        raise GatewayError(ErrorCode.UNAUTHENTICATED, "The key belongs to no caller.")


def requires(scope: Scope | None = None) -> Callable[[View], View]:
    """Let a view be called by callers with the scope; by any caller where it is None."""

    def decorate(view: View) -> View:
        documented: View = Blueprint.doc(security=SECURITY)(view)
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


def init_app(app: Flask, callers: Callers) -> None:
    """Check every request before its view; `g` then holds `caller` and `account`, two names."""

    @app.before_request
    def authenticate() -> None:
        if request.endpoint is None:  # no such route: 404 or 405 follows
            return
        needed = requirement(current_app.view_functions[request.endpoint])
        if needed == OPEN:
            return
        g.caller, caller = callers.identify(request.headers.get("Authorization"))
        if needed is None:
            raise GatewayError(ErrorCode.FORBIDDEN, "Nobody may call this.")
        if needed != ANY_CALLER and needed not in caller.scopes:
            raise GatewayError(ErrorCode.FORBIDDEN, f"You need the scope `{needed}`.")
        g.account = _choose_account(caller)
