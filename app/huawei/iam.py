"""Requests tokens from IAM.

Source: the IAM API reference (iam_30_0001) and the Partner Center FAQ bpconsole_apifaq_00001: the
partner's token is scoped to the domain.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from app.errors import ErrorCode, GatewayError, Upstream
from app.huawei import codes
from app.huawei.answer import Answer, json_object, request_id
from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.pause import pause
from app.huawei.service import Service
from app.huawei.transport import Reply
from app.observability.exchange import Observe
from app.settings import AccountSettings, IamSettings

# `nocatalog` with any value leaves the long catalogue out of the answer.
PATH = "/v3/auth/tokens?nocatalog=1"
OPERATION = "iam_token"  # in logs, traces and metrics
SAFE_LIFE = 60.0  # seconds; a token with less life left is not used
# Bounds in seconds for the life of a new token if the answer lacks one of its two times. The
# IAM API reference says 24 hours from issue; the lower bound is our own choice.
SHORTEST_LIFE, LONGEST_LIFE = 3600.0, 86400.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# IAM answers these refusals in its keystone shape, with the status as its only code.
_STATUSES = {
    401: ErrorCode.UPSTREAM_ACCESS_DENIED,
    403: ErrorCode.UPSTREAM_ACCESS_DENIED,
    404: ErrorCode.UPSTREAM_ACCESS_DENIED,
    429: ErrorCode.UPSTREAM_THROTTLED,
}


@dataclass(frozen=True, slots=True)
class Token:
    """A token, with its times of issue and expiry by the wall clock, in seconds."""

    text: str = field(repr=False)
    issued: float
    expires: float


class Iam:
    """The IAM client of one account.

    Args:
        name: The account's name in the configuration.
        account: The account's settings.
        iam: The settings of the IAM endpoint and user.
        observe: Receives each exchange.
    """

    def __init__(
        self,
        name: str,
        account: AccountSettings,
        iam: IamSettings,
        observe: Observe,
    ) -> None:
        self._name = name
        self._iam = iam
        self._service = Service(name, iam.endpoint, account, observe)

    @property
    def identity(self) -> tuple[str, str, str]:
        """The endpoint, domain and user of the tokens."""
        return self._iam.endpoint, self._iam.domain, self._iam.user

    @property
    def password_file(self) -> Path:
        """The file that holds the password."""
        return self._iam.password_file

    def password(self) -> str:
        """The password that is mounted now.

        Raises:
            GatewayError: UPSTREAM_ACCESS_DENIED if it cannot be read.
        """
        try:
            password = self._iam.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            password = ""
        if not password:
            raise GatewayError(
                ErrorCode.UPSTREAM_ACCESS_DENIED,
                "The IAM password of this account cannot be read from its file.",
            )
        return password

    def partner_token(self, password: str, now: float, within: float) -> Token:
        """Request a token for the partner by user and password.

        Args:
            password: The user's password.
            now: The wall clock, in seconds.
            within: Seconds until the deadline.

        Raises:
            GatewayError: UPSTREAM_ACCESS_DENIED if IAM refuses the user or password. Do not try
                the same password again: wrong passwords lock the user.
        """
        domain = {"name": self._iam.domain}
        user = {"name": self._iam.user, "password": password, "domain": domain}
        identity = {"methods": ["password"], "password": {"user": user}}
        return self._ask({"identity": identity, "scope": {"domain": domain}}, now, within)

    def _ask(self, auth: dict[str, Any], now: float, within: float) -> Token:
        request = PreparedRequest()
        request.method, request.url = "POST", f"{self._service.url}{PATH}"
        request.headers = CaseInsensitiveDict({"Content-Type": "application/json;charset=utf8"})
        request.body = json.dumps({"auth": auth}).encode()
        errand = Errand.within(within, self._name)
        # A new token does not end older tokens, so the request may be repeated like a read.
        answer = self._service.send(
            OPERATION, request, lambda reply: _read(reply, now), errand=errand
        )
        if answer.failure is not None:
            raise answer.failure
        token: Token = answer.fields["token"]
        return token


def _read(reply: Reply, now: float) -> Answer:
    """Read IAM's answer: 201 with the token in a header, or a refusal."""
    body = json_object(reply.content) or {}
    upstream = Upstream(
        codes.error_code(body, reply.status),
        reply.status,
        request_id(reply.headers.get("x-request-id")),
    )
    text = reply.headers.get("x-subject-token", "")
    token = _token(text, body, now) if reply.status == 201 and text else None
    if token is None:
        return Answer(upstream, failure=_refusal(reply, upstream))
    return Answer(upstream, {"token": token})


def _token(text: str, body: Mapping[str, Any], now: float) -> Token | None:
    """The token, with its life counted from `now`; None if the answer does not describe a token.

    With both times the life is their difference, so clock skew has no effect. Without `issued_at`
    the life depends on our clock, so it is limited to the bounds of a new token: with a skewed
    clock, a new token must not count as expired, nor an expired token as valid for days. Without
    `expires_at` the life is SHORTEST_LIFE: one call to IAM an hour is cheap, and a token that
    expires earlier is replaced when Huawei refuses it.
    """
    described = body.get("token")
    if not isinstance(described, Mapping):
        return None
    issued, expires = (_moment(described.get(when)) for when in ("issued_at", "expires_at"))
    if expires is None:
        life = SHORTEST_LIFE
    elif issued is None:
        life = min(max(expires - now, SHORTEST_LIFE), LONGEST_LIFE)
    else:
        life = max(0.0, expires - issued)
    return Token(text, now, now + life)


def _moment(text: Any) -> float | None:
    """Parse a time from IAM (UTC) to seconds since 1970. Returns None if the text is not a time."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH).total_seconds()


def _refusal(reply: Reply, upstream: Upstream) -> GatewayError:
    code = upstream.code
    if code and code in codes.COMMON:
        entry = codes.COMMON[code]
    elif code and code.startswith("IAM."):
        entry = ErrorCode.UPSTREAM_ACCESS_DENIED
    else:
        other = ErrorCode.UPSTREAM_ERROR if reply.status >= 500 else ErrorCode.UPSTREAM_MALFORMED
        entry = _STATUSES.get(reply.status, other)
    return GatewayError(
        entry, upstream=upstream, retry_after=pause(entry, reply.headers), write=False
    )
