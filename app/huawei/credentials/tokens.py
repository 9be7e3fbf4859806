"""The IAM token of an account: asked for once, renewed early, shared, and dropped when dead."""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from requests import PreparedRequest

from app.errors import ErrorCode, GatewayError
from app.huawei.codes import Verdict
from app.huawei.credentials.guarded_iam import GuardedIam
from app.huawei.credentials.key_pair import PROBATION
from app.huawei.credentials.key_slot import Probe
from app.huawei.iam import SAFE_LIFE, Iam, Token
from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.single_flight import SingleFlight
from app.observability import metrics
from app.observability.logs import event, logger
from app.state import Sealing, State

HEADER = "X-Auth-Token"
# Huawei publishes no margin. A token lives 24 hours; of the last hour the first half is spread
# over the replicas, so that they do not all renew at once.
MARGIN = (1800.0, 3600.0)  # seconds before the end
SHORT_LIFE = 0.1  # of a token's life, for tokens that live shorter than that
RETRY_INTERVAL = 30.0  # seconds after a failed renewal
RENEWAL = 30.0  # seconds for which one replica may be renewing

_log = logger("credentials")


@dataclass(frozen=True, slots=True)
class _Held:
    token: Token
    renew_at: float


class Tokens:
    """The token of one account.

    Args:
        account: The account's name.
        iam: Gives tokens.
        state: Shares the token with the other replicas, encrypted.
        sealing: Encrypts it.
        now: The wall clock, in seconds.
        jitter: Chooses a number between two, by default at random.
    """

    def __init__(
        self,
        account: str,
        iam: Iam,
        state: State,
        sealing: Sealing,
        now: Callable[[], float] = time.time,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._account = account
        self._iam = GuardedIam(account, iam, now)
        self._state = state
        self._sealing = sealing
        self._now = now
        self._jitter = jitter
        self._flight = SingleFlight()
        self._renewing = threading.Lock()
        self._dropping = threading.Lock()
        self._held: _Held | None = None
        self._renewal_pauses_until = 0.0
        self._stillborn = 0
        self._last_success: datetime | None = None
        self._key = "token:" + sealing.fingerprint("token", account, *iam.identity)

    def refresh(self, probe: Probe, at_once: bool = False) -> bool:
        """Renew a token that is near its end, in a thread: the old one serves meanwhile."""
        held, now = self._held, self._now()
        if held is None or now < held.renew_at or now < self._renewal_pauses_until:
            return False
        if self._renewing.acquire(blocking=False):
            threading.Thread(target=self._renew, args=(held,), daemon=True).start()
        return False

    def ensure_usable(self) -> None:
        """See whether there is a token, or one may be asked for."""
        if self._current() is None:
            self._iam.ensure_allowed()

    def authorize(
        self, request: PreparedRequest, uses: Sequence[Token] = (), within: float = PROBATION
    ) -> Token:
        """Put a token on the request; the first to ask gets one for all who wait.

        Raises:
            GatewayError: whatever asking IAM ended in.
        """
        token = self.token(within)
        request.headers[HEADER] = token.text
        return token

    def settle(self, use: Token, verdict: Verdict) -> None:
        """Drop a token that upstream calls dead."""
        if verdict is Verdict.ACCEPTED:
            self._last_success = datetime.now(UTC)
            self._stillborn = 0
        elif verdict is Verdict.DEAD:
            self.drop(use)

    def may_repeat(self, uses: Sequence[Token], verdict: Verdict) -> bool:
        """Whether the token died; once for a request, for a new one may die as well."""
        return verdict is Verdict.DEAD and len(uses) == 1

    def usable(self) -> bool:
        """Whether there is a token, or a password to ask for one with."""
        return self._held is not None or self._iam.password_mounted

    def describe(self) -> dict[str, Any]:
        """Condition, age and expiry of the token."""
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
        """The partner's token; the first to ask gets one for all who wait.

        Args:
            within: Seconds that this may take.

        Raises:
            GatewayError: whatever asking IAM ended in; DEADLINE_EXCEEDED if another who asks
                takes longer.
        """
        current = self._current()
        if current is not None:
            return current
        errand = Errand.within(within, self._account)
        try:
            return self._flight.do("partner", lambda: self._obtain(errand), max(0.0, within))
        except TimeoutError:
            raise GatewayError(ErrorCode.DEADLINE_EXCEEDED, write=False) from None

    def _condition(self, held: _Held | None) -> str:
        if self._iam.locked:
            return "LOCKED"
        if self._iam.refused:
            return "REFUSED"
        return "HELD" if held else "NONE"

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
        """A token from the shared state, or from IAM."""
        current = self._current()
        if current is not None and current.text != dead:
            return current
        ends = self._now() + RENEWAL
        turn = f"{self._key}:turn"
        while True:
            shared = self._shared()
            if shared is not None and shared.text != dead:
                return self._hold(shared)
            if self._state.add(turn, b"1", RENEWAL) or self._now() > ends:
                break
            errand.check(write=False)
            time.sleep(0.05)  # another replica is asking
        try:
            # Once more: who had the turn before may have put one there.
            shared = self._shared()
            if shared is not None and shared.text != dead:
                return self._hold(shared)
            return self._ask_iam(errand)
        finally:
            self._state.delete(turn)

    def _ask_iam(self, errand: Errand) -> Token:
        self._iam.ensure_allowed()
        errand.check(write=False)
        token = self._iam.ask(errand.left)
        document = {"text": token.text, "issued": token.issued, "expires": token.expires}
        sealed = self._sealing.seal(json.dumps(document).encode())
        life = token.expires - self._now()
        if life > 0:
            self._state.put(self._key, sealed, life)
        return self._hold(token)

    def _shared(self) -> Token | None:
        sealed = self._state.get(self._key)
        document = self._sealing.unseal(sealed) if sealed else None
        if document is None:
            return None
        token = Token(**json.loads(document))
        return token if token.expires - SAFE_LIFE > self._now() else None

    def drop(self, dead: Token) -> None:
        """Forget a token that Huawei calls dead, so that the next request asks for a new one."""
        with self._dropping:
            held = self._held
            if held is None or held.token.text != dead.text:
                return  # another request was told before
            # First there, or a request between the two would take it from there again.
            self._drop_shared(dead)
            self._held = None
            self._stillborn += 1
            if self._stillborn > 1:
                # The second in a row that was never accepted: the next would die as well.
                self._iam.pause()
        metrics.CREDENTIAL_EVENTS.labels(self._account, Verdict.DEAD.value).inc()

    def _renew(self, old: _Held) -> None:
        try:
            errand = Errand.within(RENEWAL, self._account)
            self._flight.do("partner", lambda: self._obtain(errand, dead=old.token.text))
        except GatewayError as error:
            self._renewal_pauses_until = self._now() + RETRY_INTERVAL
            self._report(logging.ERROR, "renewal_failed", "A token was not renewed", error)
        else:
            self._report(logging.INFO, "renewed", "A token was renewed")
        finally:
            self._renewing.release()

    def _drop_shared(self, old: Token) -> None:
        shared = self._shared()
        if shared is not None and shared.text == old.text:
            self._state.delete(self._key)

    def _report(self, level: int, what: str, text: str, error: GatewayError | None = None) -> None:
        metrics.CREDENTIAL_EVENTS.labels(self._account, what).inc()
        code = error.code.name if error else None
        event(_log, level, text, account=self._account, verdict=what, code=code)
