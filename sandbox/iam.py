"""IAM: tokens by password or by a customer's agency, and temporary access keys.

Sources: IAM API reference, "Obtaining a User Token Through Password Authentication"
(iam_30_0001), "Obtaining an Agency Token" (iam_30_0003), "Obtaining a Temporary Access Key and
Security Token Through a Token".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from .calls import Answer, Call, Refused, json_answer
from .codes import code_answer
from .fields import FieldError, read_json
from .settings import IAM_DOMAIN, IAM_PASSWORD, IAM_USER, PARTNER_ID, PLATFORM_ID, is_integer
from .state import State
from .tokens import Token, iso_time

# The account's login policy sets the duration of a lock; the sandbox uses 15 minutes.
LOCK_SECONDS = 900
SHORTEST_SECONDS = 900
LONGEST_SECONDS = 86400

INVALID_BODY = "The request body is invalid"
WRONG_PASSWORD = "The username or password is wrong."  # noqa: S105 - the text of a refusal
NO_RIGHT = "You have no right to do this action"
CATALOG = [{"type": "bss", "name": "bssv1", "id": "sandbox", "endpoints": []}]


def keystone(status: int, message: str, title: str) -> Refused:
    """Return a refusal in the shape of OpenStack's Keystone, whose code is a number."""
    return Refused(json_answer(status, {"error": _keystone(status, message, title)}))


def _keystone(status: int, message: str, title: str) -> dict[str, Any]:
    return {"code": status, "message": message, "title": title}


def _invalid_body() -> Refused:
    return keystone(400, INVALID_BODY, "Bad Request")


def token(state: State, call: Call) -> Answer:
    """Issue a token by password, or a customer's token by `assume_role`."""
    _check_query(call)
    auth = _read_auth(call)
    identity = _pick(auth, "identity")
    method = _pick(identity, "methods", of=list)
    if auth.keys() != {"identity", "scope"}:
        # Without a scope the token is global, and Partner Center does not accept global tokens.
        raise _invalid_body()
    if method == ["password"] and identity.keys() == {"methods", "password"}:
        return _password_token(state, call, identity["password"], auth["scope"])
    if method == ["assume_role"] and identity.keys() == {"methods", "assume_role"}:
        return _agency_token(state, call, identity["assume_role"], auth["scope"])
    raise _invalid_body()


def _check_query(call: Call) -> None:
    for name, value in parse_qsl(call.query, keep_blank_values=True):
        if name != "nocatalog" or not value:
            raise keystone(400, "The request parameter is invalid", "Bad Request")


def _read_auth(call: Call) -> Mapping[str, Any]:
    media_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        document = read_json(call.body)
    except FieldError:
        raise _invalid_body() from None
    if media_type != "application/json" or not isinstance(document, dict):
        raise _invalid_body()
    if document.keys() != {"auth"}:
        raise _invalid_body()
    auth: dict[str, Any] = _pick(document, "auth")
    return auth


def _pick(document: Any, name: str, *, of: type = dict) -> Any:
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, of):
        raise _invalid_body()
    return value


def _texts(document: Any, *names: str, optional: tuple[str, ...] = ()) -> list[str]:
    if not isinstance(document, dict) or not document.keys() <= {*names, *optional}:
        raise _invalid_body()
    values = []
    for name in (*names, *optional):
        value = document.get(name, "" if name in optional else None)
        if not isinstance(value, str):
            raise _invalid_body()
        values.append(value)
    return values


def _password_token(state: State, call: Call, password: Any, scope: Any) -> Answer:
    if not isinstance(password, dict) or password.keys() != {"user"}:
        raise _invalid_body()
    user = _pick(password, "user")
    if user.keys() != {"name", "password", "domain"}:
        raise _invalid_body()
    (domain,) = _texts(user["domain"], "name")
    name, secret = _texts({key: user[key] for key in ("name", "password")}, "name", "password")
    if not isinstance(scope, dict) or scope.keys() != {"domain"}:
        # Huawei also allows a project scope, but Partner Center requires the domain scope.
        raise _invalid_body()
    (scope_domain,) = _texts(scope["domain"], "name")
    _log_in(state, call, (domain, name, secret, scope_domain))
    return _issue(state, call, "password", IAM_DOMAIN, customer=False)


def _log_in(state: State, call: Call, login: tuple[str, str, str, str]) -> None:
    logins, now = state.logins, state.clock.now()
    if logins.locked_until > now:
        raise Refused(code_answer("IAM.0061", call.request_id))
    if login != (IAM_DOMAIN, IAM_USER, IAM_PASSWORD, IAM_DOMAIN):
        logins.failures += 1
        if logins.failures >= state.settings.password_tries:
            logins.failures, logins.locked_until = 0, now + LOCK_SECONDS
        raise keystone(401, WRONG_PASSWORD, "Unauthorized")
    logins.failures = 0


def _agency_token(state: State, call: Call, role: Any, scope: Any) -> Answer:
    trusted = _known_token(state, call)
    agency, name, identifier = _texts(role, "agency_name", optional=("domain_name", "domain_id"))
    customer = name or identifier
    if not customer or not isinstance(scope, dict) or len(scope) != 1:
        raise _invalid_body()
    if not scope.keys() <= {"domain", "project"}:
        raise _invalid_body()
    _pick(scope, *scope)
    if trusted.customer:
        raise keystone(403, NO_RIGHT, "Forbidden")
    if agency != PLATFORM_ID:
        # The agency that trusts a partner is named by the partner's platform id.
        raise keystone(404, f"Could not find agency: {agency}.", "Not Found")
    return _issue(state, call, "assume_role", customer, customer=True)


def _known_token(state: State, call: Call) -> Token:
    text = call.headers.get("x-auth-token")
    if text is None:
        raise keystone(401, "The request you have made requires authentication.", "Unauthorized")
    known = state.tokens.find(text)
    if known is None or known.revoked_as == "decrypt":
        raise Refused(code_answer("IAM.0067", call.request_id))
    if known.revoked_as is not None or known.expires_at <= state.clock.now():
        raise Refused(code_answer("IAM.0066", call.request_id))
    return known


def _issue(state: State, call: Call, method: str, domain: str, *, customer: bool) -> Answer:
    now = state.clock.now()
    text, issued = state.tokens.issue(now, state.settings.token_seconds, customer=customer)
    owner = {"id": domain if customer else PARTNER_ID, "name": domain}
    document: dict[str, Any] = {
        "expires_at": iso_time(issued.expires_at),
        "issued_at": iso_time(issued.issued_at),
        "methods": [method],
        "user": {"domain": owner, "id": "sandbox-user", "name": IAM_USER},
        "domain": owner,
        "roles": [{"id": "0", "name": "te_admin"}],
    }
    if state.settings.times_shown != "both":
        del document["issued_at"]
    if state.settings.times_shown == "none":
        del document["expires_at"]
    if "nocatalog" not in call.query:
        document["catalog"] = CATALOG
    return json_answer(201, {"token": document}, X_Subject_Token=text)


def security_token(state: State, call: Call) -> Answer:
    """Issue temporary access keys for a token."""
    trusted = _known_token(state, call)
    auth = _read_auth(call)
    identity = _pick(auth, "identity")
    if auth.keys() != {"identity"} or not identity.keys() <= {"methods", "token"}:
        raise _invalid_body()
    if identity.get("methods") != ["token"] or not isinstance(identity.get("token", {}), dict):
        raise _invalid_body()
    seconds = _duration(identity.get("token", {}))
    expires_at = state.clock.now() + seconds
    name, key = state.access_keys.issue(expires_at, customer=trusted.customer)
    credential = {
        "access": name,
        "secret": key.secret_key,
        "securitytoken": key.security_token,
        "expires_at": iso_time(expires_at),
    }
    return json_answer(201, {"credential": credential})


def _duration(wanted: Mapping[str, Any]) -> int:
    seconds = wanted.get("duration_seconds", SHORTEST_SECONDS)
    if not wanted.keys() <= {"duration_seconds"} or not is_integer(seconds):
        raise _invalid_body()
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise _invalid_body()
    return int(seconds)
