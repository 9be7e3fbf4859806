"""The credentials of an account by IAM token: obtained once, renewed early, dropped when dead."""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from requests import PreparedRequest

from app.errors import GatewayError
from app.huawei.codes import Verdict
from app.huawei.credentials.guarded_iam import GuardedIam
from app.huawei.credentials.iam_refusals import IamRefusals
from app.huawei.credentials.key_slot import Probe
from app.huawei.credentials.shared_token import SharedToken
from app.huawei.iam import SAFE_LIFE, Iam, Token
from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.single_flight import SingleFlight
from app.observability import metrics
from app.observability.logs import event, logger
from app.state import Sealing, State

HEADER = "X-Auth-Token"
# A token is valid for 24 hours; Huawei publishes no margin for renewals. The renewal times are
# spread over half an hour, so that the replicas do not all renew at once.
MARGIN = (1800.0, 3600.0)  # seconds before expiry
SHORT_LIFE = 0.1  # upper bound of the margin as a share of the token's life
RENEWAL = 30.0  # seconds that a renewal may take
RETRY_INTERVAL = 30.0  # seconds until a failed renewal is tried again

_log = logger("credentials")


@dataclass(frozen=True, slots=True)
class _Held:
    token: Token
    renew_at: float


class Tokens:
    """The token of one account.

    Args:
        account: The account's name.
        iam: Issues tokens.
        state: Shares the token with the other replicas.
        sealing: Computes the fingerprints that name the token and its refusals in the state.
        now: The wall clock, in seconds.
        jitter: Returns a number between its two arguments, by default at random.
        monotonic: The clock of intervals, in seconds.
    """

    def __init__(
        self,
        account: str,
        iam: Iam,
        state: State,
        sealing: Sealing,
        now: Callable[[], float] = time.time,
        jitter: Callable[[float, float], float] = random.uniform,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        refusals = IamRefusals(iam.identity, state, sealing)
        self._iam = GuardedIam(account, iam, refusals, now, monotonic)
        self._shared = SharedToken(account, iam.identity, state, sealing, now)
        self._now = now
        self._monotonic = monotonic
        self._jitter = jitter
        self._flight = SingleFlight()
        self._renewing = threading.Lock()
        self._dropping = threading.Lock()
        self._held: _Held | None = None
        self._renewal_paused_until = 0.0
        self._never_accepted = 0  # dead tokens in a row that Huawei had never accepted
        self._last_success: datetime | None = None

    def authorize(
        self, request: PreparedRequest, uses: Sequence[Token], probe: Probe, within: float
    ) -> Token:
        """Add a valid token to the request. A token near its expiry is renewed by a thread.

        Raises:
            GatewayError: see `token`.
        """
        self._renew_early()
        token = self.token(within)
        request.headers[HEADER] = token.text
        return token

    def _renew_early(self) -> None:
        """Start a thread that renews a token near its expiry; the old token stays in use."""
        held = self._held
        if held is None or self._now() < held.renew_at:
            return
        if self._monotonic() < self._renewal_paused_until:
            return
        if self._renewing.acquire(blocking=False):
            threading.Thread(target=self._renew, args=(held,), daemon=True).start()

    def is_valid(self, use: Token) -> bool:
        """Whether a request may still be sent with this token, after a wait."""
        return use.expires - SAFE_LIFE > self._now() and self._held is not None

    def settle(self, use: Token, verdict: Verdict) -> None:
        """Report Huawei's verdict on the token; a dead token is dropped."""
        if verdict is Verdict.ACCEPTED:
            self._last_success = datetime.now(UTC)
            self._never_accepted = 0
        elif verdict is Verdict.DEAD:
            self.drop(use)

    def may_repeat(
        self, uses: Sequence[Token], verdict: Verdict, probe: Probe, within: float
    ) -> bool:
        """Whether the token was dead, and this was the request's first token."""
        return verdict is Verdict.DEAD and len(uses) == 1

    def usable(self) -> bool:
        """Whether there is a token, or a password to request one with."""
        return self._held is not None or self._iam.password_mounted

    def describe(self) -> dict[str, Any]:
        """The token's condition (LOCKED, REFUSED, HELD, NONE or MISSING) and times."""
        held = self._held
        return {
            "authentication": "token",
            "token": {
                "condition": self._condition(held),
                "issued_at": datetime.fromtimestamp(held.token.issued, UTC) if held else None,
                "expires_at": datetime.fromtimestamp(held.token.expires, UTC) if held else None,
                "last_success": self._last_success,
            },
        }

    def token(self, within: float = RENEWAL) -> Token:
        """The partner's valid token. Threads that need a new token at once share one request.

        Args:
            within: Seconds that this may take.

        Raises:
            GatewayError: the failure of the request to IAM; DEADLINE_EXCEEDED if the time ends
                before another thread has the token.
        """
        current = self._current()
        if current is not None:
            return current
        errand = Errand.within(within, self._account)
        return self._flight.do("partner", lambda: self._obtain(errand), errand)

    def _condition(self, held: _Held | None) -> str:
        if self._iam.locked:
            return "LOCKED"
        if self._iam.refused:
            return "REFUSED"
        if held:
            return "HELD"
        return "NONE" if self._iam.password_mounted else "MISSING"

    def _current(self) -> Token | None:
        held = self._held
        if held is not None and held.token.expires - SAFE_LIFE > self._now():
            return held.token
        return None

    def _hold(self, token: Token) -> Token:
        life = token.expires - token.issued
        early, late = MARGIN
        margin = min(self._jitter(early, late), life * SHORT_LIFE)
        self._held = _Held(token, token.expires - margin)
        return token

    def _obtain(self, errand: Errand, dead: str | None = None) -> Token:
        """A token from the shared state, or from IAM.

        Args:
            errand: Whose time this uses.
            dead: The text of a token that must not be returned.
        """
        current = self._current()
        if current is not None and current.text != dead:
            return current
        while True:
            shared = self._shared.get()
            if shared is not None and shared.text != dead:
                return self._hold(shared)
            if self._shared.lock.acquire():
                break
            errand.check(write=False)
            time.sleep(0.05)  # another replica is requesting a token
        try:
            # Read again: the previous holder of the lock may have stored a token.
            shared = self._shared.get()
            if shared is not None and shared.text != dead:
                return self._hold(shared)
            return self._request(errand)
        finally:
            self._shared.lock.release()

    def _request(self, errand: Errand) -> Token:
        """A new token from IAM, stored for the other replicas."""
        token = self._iam.request_token(errand)
        self._shared.put(token)
        return self._hold(token)

    def drop(self, dead: Token) -> None:
        """Forget a token that Huawei calls dead. The next request obtains a new token."""
        with self._dropping:
            held = self._held
            if held is None or held.token.text != dead.text:
                return  # another request has dropped the token already
            # The shared token goes first: another request would otherwise fetch it again.
            self._shared.delete(dead)
            self._held = None
            self._never_accepted += 1
            if self._never_accepted > 1:
                # Two tokens in a row were never accepted: expect the same of the next one.
                self._iam.pause()
        metrics.CREDENTIAL_EVENTS.labels(self._account, Verdict.DEAD.value).inc()

    def _renew(self, old: _Held) -> None:
        try:
            errand = Errand.within(RENEWAL, self._account)
            self._flight.do("partner", lambda: self._obtain(errand, dead=old.token.text), errand)
        except GatewayError as error:
            self._renewal_paused_until = self._monotonic() + RETRY_INTERVAL
            self._report(logging.ERROR, "renewal_failed", "A token was not renewed", error)
        else:
            self._report(logging.INFO, "renewed", "A token was renewed")
        finally:
            self._renewing.release()

    def _report(self, level: int, name: str, text: str, error: GatewayError | None = None) -> None:
        metrics.CREDENTIAL_EVENTS.labels(self._account, name).inc()
        code = error.code.name if error else None
        event(_log, level, text, account=self._account, verdict=name, code=code)
