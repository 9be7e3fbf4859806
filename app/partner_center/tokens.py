"""The IAM token of an account: asked for once, renewed early, shared, and dropped when dead."""

import json
import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from requests import PreparedRequest

from app.errors import ErrorCode, GatewayError
from app.observability import metrics
from app.observability.logs import event, logger
from app.partner_center.codes import Verdict
from app.partner_center.credentials import Probe
from app.partner_center.iam import SAFE_LIFE, Iam, Token
from app.partner_center.single_flight import SingleFlight
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
    """The token of one account, and those of its customers.

    Args:
        account: The account's name.
        iam: Gives tokens.
        agency: The agency that customers give, which is named like the partner's platform.
        state: Shares the token with the other replicas, encrypted.
        sealing: Encrypts it.
        now: The wall clock, in seconds.
        jitter: Chooses a number between two, by default at random.
    """

    def __init__(
        self,
        account: str,
        iam: Iam,
        agency: str,
        state: State,
        sealing: Sealing,
        now: Callable[[], float] = time.time,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._account = account
        self._iam = iam
        self._agency = agency
        self._state = state
        self._sealing = sealing
        self._now = now
        self._jitter = jitter
        self._flight = SingleFlight()
        self._renewing = threading.Lock()
        self._held: _Held | None = None
        self._renewal_pauses_until = 0.0
        self._refused: tuple[int, int] | None = None
        self._last_success: datetime | None = None
        self._customers: dict[tuple[str, str], Token] = {}
        self._key = "token:" + sealing.fingerprint("token", account, str(iam.password_file))

    def refresh(self, probe: Probe, at_once: bool = False) -> None:
        """Renew a token that is near its end, in a thread: the old one serves meanwhile."""
        held, now = self._held, self._now()
        if held is None or now < held.renew_at or now < self._renewal_pauses_until:
            return
        if self._renewing.acquire(blocking=False):
            threading.Thread(target=self._renew, args=(held,), daemon=True).start()

    def authorize(self, request: PreparedRequest) -> Token:
        """Put a token on the request; the first to ask gets one for all who wait.

        Raises:
            GatewayError: whatever asking IAM ended in.
        """
        token = self._current() or self._flight.do("partner", self._obtain)
        request.headers[HEADER] = token.text
        return token

    def settle(self, use: Token, verdict: Verdict) -> None:
        """Drop a token that upstream calls dead."""
        if verdict is Verdict.ACCEPTED:
            self._last_success = datetime.now(UTC)
        elif verdict is Verdict.DEAD:
            self._drop(use)

    def has_other(self, use: Token) -> bool:
        """Whether asking again can help: it does when the token died, not when it was refused."""
        held = self._held
        return held is None or held.token.text != use.text

    def usable(self) -> bool:
        """Whether there is a password to ask with."""
        return self._iam.password_file.is_file()

    def describe(self) -> dict[str, Any]:
        """Condition, age and expiry of the token."""
        held = self._held
        return {
            "authentication": "token",
            "token": {
                "condition": "REFUSED" if self._refused else "HELD" if held else "NONE",
                "issued_at": datetime.fromtimestamp(held.token.issued, UTC) if held else None,
                "expires_at": datetime.fromtimestamp(held.token.expires, UTC) if held else None,
                "last_success": self._last_success,
            },
        }

    def customer_token(self, domain_id: str, project: str) -> Token:
        """A token of a customer's, for operations that take the customer's credential only.

        Args:
            domain_id: The customer's account id.
            project: The customer's project, by its region's name.

        Raises:
            GatewayError: UPSTREAM_ACCESS_DENIED where the customer gave no agency.
        """
        wanted = (domain_id, project)
        known = self._customers.get(wanted)
        if known is not None and known.expires - SAFE_LIFE > self._now():
            return known

        def ask() -> Token:
            partner = self._current() or self._flight.do("partner", self._obtain)
            now = self._now()
            token = self._iam.customer_token(partner, domain_id, self._agency, project, now)
            alive = {key: kept for key, kept in self._customers.items() if kept.expires > now}
            self._customers = {**alive, wanted: token}
            return token

        return self._flight.do(wanted, ask)

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

    def _obtain(self, dead: str | None = None) -> Token:
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
            time.sleep(0.05)  # another replica is asking
        try:
            return self._ask_iam()
        finally:
            self._state.delete(turn)

    def _ask_iam(self) -> Token:
        password = self._password_stamp()
        if self._refused is not None and self._refused == password:
            raise GatewayError(
                ErrorCode.UPSTREAM_ACCESS_DENIED,
                "IAM refused this account's user or password before; it is not tried again "
                "until the password file changes.",
            )
        try:
            token = self._iam.partner_token(self._now())
        except GatewayError as error:
            if error.code is ErrorCode.UPSTREAM_ACCESS_DENIED and error.upstream:
                self._refused = password
                self._report(logging.ERROR, "refused", "IAM refused user or password", error)
            raise
        self._refused = None
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

    def _drop(self, dead: Token) -> None:
        held = self._held
        if held is not None and held.token.text == dead.text:
            self._held = None
        self._drop_shared(dead)
        metrics.CREDENTIAL_EVENTS.labels(self._account, Verdict.DEAD.value).inc()

    def _renew(self, old: _Held) -> None:
        try:
            self._drop_shared(old.token)
            self._flight.do("partner", lambda: self._obtain(dead=old.token.text))
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

    def _password_stamp(self) -> tuple[int, int] | None:
        try:
            stat = self._iam.password_file.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns

    def _report(self, level: int, what: str, text: str, error: GatewayError | None = None) -> None:
        metrics.CREDENTIAL_EVENTS.labels(self._account, what).inc()
        code = error.code.name if error else None
        event(_log, level, text, account=self._account, verdict=what, code=code)
