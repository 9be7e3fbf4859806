"""The API gateway in front of Partner Center: authentication and throttling.

Texts: API Gateway FAQ (apig-faq-0003), Optical Character Recognition FAQ (ocr_01_0063).
"""

from __future__ import annotations

from dataclasses import dataclass

from .access_keys import AccessKey
from .calls import Answer, Call, Refused
from .codes import code_answer
from .signature import (
    ALGORITHM,
    TOLERANCE_SECONDS,
    Credential,
    canonical_request,
    read_credential,
    sign_time,
    signature_matches,
)
from .state import State
from .tokens import iso_time

BODY_LIMIT = 12 * 1024 * 1024

_PREFIX = "Incorrect IAM authentication information: "
SIGNATURE_FAIL = f"{_PREFIX}verify aksk signature fail"
SIGNATURE_EXPIRED = f"{_PREFIX}calc ak sk signature fail:signature expired"
LOCKED = f"{_PREFIX}AK access failed to reach the limit,forbidden."
TOKEN_MISSING = f"{_PREFIX}x-auth-token not found"
TOKEN_UNREADABLE = f"{_PREFIX}decrypt token fail"


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a call: its name for throttling, and whether it is a customer."""

    name: str
    customer: bool = False


def refusal(call: Call, number: str, text: str | None = None, status: int | None = None) -> Refused:
    """Return a refusal in the shape of the API gateway."""
    return Refused(code_answer(f"APIGW.{number}", call.request_id, status=status, text=text))


def not_published(call: Call) -> Answer:
    """Return the answer to a path or method that does not exist, or no longer exists."""
    return code_answer("APIGW.0101", call.request_id)


def authenticate(state: State, call: Call) -> Identity:
    """Return the identity of a call, by its signature or token.

    Raises:
        Refused: the credential is missing or not valid.
    """
    authorization = call.headers.get("authorization", "")
    if authorization.startswith(ALGORITHM):
        return _by_signature(state, call, authorization)
    token = call.headers.get("x-auth-token")
    if token is None:
        raise refusal(call, "0301", TOKEN_MISSING)
    return _by_token(state, call, token)


def throttle(
    state: State, call: Call, operation: str, identity: Identity, own_limit: int | None
) -> None:
    """Count a call of one operation and identity.

    Args:
        state: The state of the sandbox.
        call: The request.
        operation: The name of the operation.
        identity: The identity of the call.
        own_limit: The calls a second of the operation, where they are fewer than of others.

    Raises:
        Refused: the limit of calls a second is exceeded.
    """
    limit = state.settings.requests_per_second
    if limit is not None and own_limit is not None:
        limit = min(limit, own_limit)
    if not state.throttle.admit((operation, identity.name), state.clock.now(), limit):
        text = (
            "The throttling threshold has been reached: policy user over ratelimit,"
            f"limit:{limit},time:1 second"
        )
        raise refusal(call, "0308", text)


def _by_signature(state: State, call: Call, authorization: str) -> Identity:
    credential = read_credential(authorization)
    if credential is None:
        # The answer to a malformed header is not documented. The sandbox counts no failure.
        raise refusal(call, "0301", SIGNATURE_FAIL)
    name, now = credential.access_key, state.clock.now()
    key = state.access_keys.find(name)
    if key is None:
        raise refusal(call, "0301", f"{_PREFIX}Get secretKey failed,ak:{name},err:ak not exist")
    if key.locked_until > now:
        raise refusal(call, "0301", LOCKED)
    problem = _signature_problem(call, credential, key, now)
    if problem is not None:
        # Whether an expired signature counts towards the lock is not confirmed. It counts here.
        key.fail(now)
        raise refusal(call, "0301", problem)
    key.failures = 0
    return Identity(name, key.customer)


def _signature_problem(
    call: Call, credential: Credential, key: AccessKey, now: float
) -> str | None:
    signed_at = sign_time(call.headers.get("x-sdk-date", ""))
    if signed_at is None or call.headers.get("x-security-token") != key.security_token:
        return _echo(call, credential)
    if abs(now - signed_at) > TOLERANCE_SECONDS or key.expired(now):
        return SIGNATURE_EXPIRED
    return None if signature_matches(call, credential, key.secret_key) else _echo(call, credential)


def _echo(call: Call, credential: Credential) -> str:
    # Huawei's text can repeat the whole canonical request with the Authorization line, with | for
    # newlines. A program that forwards or logs the text leaks them.
    canonical = canonical_request(call, credential.signed_headers).decode("utf-8", "replace")
    whole = f"{canonical}\nauthorization:{call.headers['authorization']}"
    return f"{SIGNATURE_FAIL}, canonicalRequest:{whole}".replace("\n", "|")


def _by_token(state: State, call: Call, text: str) -> Identity:
    token = state.tokens.find(text)
    if token is None or token.revoked_as == "decrypt":
        raise refusal(call, "0301", TOKEN_UNREADABLE)
    if token.revoked_as not in (None, "expired"):
        raise Refused(code_answer(token.revoked_as, call.request_id, status=401))
    if token.revoked_as == "expired" or token.expires_at <= state.clock.now():
        text = f"{_PREFIX}token expires, expires_at: {iso_time(token.expires_at)}"
        raise refusal(call, "0301", text)
    # The documented limit is per API, source address and partner: all tokens share one limit.
    return Identity("token", token.customer)
