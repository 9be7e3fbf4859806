"""One key pair of an account: read from its files, and protected against Huawei's lock.

Huawei locks an access key for all its users for five minutes after more than five refused
signatures in a row. An unproven pair therefore signs one request at a time, its probation. After
two refusals in a row the pair is suspended for the length of Huawei's lock, or until the clock is
right if they were refused for the clock.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.errors import ErrorCode, GatewayError
from app.huawei.codes import Verdict
from app.huawei.credentials.key_files import Stamp
from app.huawei.credentials.signing import SdkHmacAuth
from app.huawei.pacing.deadline import WRITE
from app.huawei.pacing.pause import CLOCK_INTERVAL
from app.state import Lock, State

MAX_REFUSALS = 2
SUSPENSION = 300.0  # seconds, the length of Huawei's lock
PROVEN = 24 * 3600.0  # seconds for which the replicas share that Huawei accepted the pair

_REASONS: dict[Verdict, ErrorCode] = {
    Verdict.REFUSED: ErrorCode.UPSTREAM_ACCESS_DENIED,
    Verdict.SKEWED: ErrorCode.CLOCK_SKEWED,
    Verdict.LOCKED: ErrorCode.ACCESS_KEY_LOCKED,
}


@dataclass(slots=True, eq=False)
class KeyPair:
    """A key pair as read from its files.

    Args:
        signer: Signs requests with the pair.
        stamp: The stamp of the files that hold the pair.
        fingerprint: The name of the pair in the state.
        expires_at: When a temporary pair expires; None for a permanent pair.
        state: Shares refusals and suspensions with the other replicas.
        monotonic: The clock of intervals, in seconds.
        now: The wall clock, in seconds.
        proven: Whether Huawei accepted the pair and has not refused it since.
        suspended_until: The end of the suspension, by the monotonic clock.
        reason: The error code of the suspension.
        last_success: When Huawei last accepted a signature of the pair.
        lifted: Whether a suspension was lifted and Huawei has accepted no signature since.
    """

    signer: SdkHmacAuth
    stamp: Stamp
    fingerprint: str
    expires_at: datetime | None
    state: State = field(repr=False)
    monotonic: Callable[[], float] = field(repr=False)
    now: Callable[[], float] = field(repr=False)
    proven: bool = False
    suspended_until: float = 0.0
    reason: ErrorCode = ErrorCode.UPSTREAM_ACCESS_DENIED
    loaded_at: datetime = field(init=False)
    last_success: datetime | None = None
    lifted: bool = False
    _next_look: float = 0.0
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _on_probation: bool = False
    _lock: Lock = field(init=False, repr=False)  # of all replicas, one request proves the pair

    def __post_init__(self) -> None:
        self._lock = Lock(self.state, self._key("probation"), self.monotonic)
        self.loaded_at = datetime.fromtimestamp(self.now(), UTC)

    @property
    def shortened(self) -> str:
        """The access key, shortened so that it may be logged."""
        return f"{self.signer.access_id[:4]}…{self.signer.access_id[-2:]}"

    @property
    def written_at(self) -> datetime:
        """When the newest of the pair's files was written."""
        return datetime.fromtimestamp(max(one[1] for one in self.stamp) / 1e9, UTC)

    @property
    def expired(self) -> bool:
        """Whether the pair is temporary and has expired."""
        return self.expires_at is not None and self.expires_at.timestamp() <= self.now()

    @property
    def suspended_for(self) -> float:
        """Seconds until the pair may sign again; 0 if it is not suspended."""
        return max(0.0, self.suspended_until - self.monotonic())

    @property
    def retry_after(self) -> float | None:
        """Seconds until a suspended pair may be usable again; None if the operator must act."""
        if self.reason is ErrorCode.CLOCK_SKEWED:
            return min(CLOCK_INTERVAL, self.suspended_for)
        return self.suspended_for if self.reason is ErrorCode.ACCESS_KEY_LOCKED else None

    @property
    def condition(self) -> str:
        """EXPIRED, LOCKED, REFUSED, PROVEN or UNPROVEN."""
        if self.expired:
            return "EXPIRED"
        if self.suspended_for:
            return "LOCKED" if self.reason is ErrorCode.ACCESS_KEY_LOCKED else "REFUSED"
        return "PROVEN" if self.proven else "UNPROVEN"

    def may_send(self, probation: bool) -> bool:
        """Whether a request that the pair has signed may still be sent, after a wait.

        After a refusal to another replica the pair is unproven here too: otherwise each replica
        would be refused once, and Huawei would lock the key.

        Args:
            probation: Whether it is the probation request.
        """
        if self.proven and self.state.left(self._key("refused")):
            self.proven = False
        if self.suspended_for or self.expired:
            return False
        return self.proven or (probation and self._lock.own)

    def acquire(self, within: float = WRITE) -> bool | None:
        """Acquire permission to sign one request.

        While the pair is unproven, one request at a time has permission across all replicas that
        share a state. The other requests wait for its verdict, and no replica proves it again. If
        the process of the probation request is killed, another request is it soon.

        Args:
            within: Seconds to wait.

        Raises:
            GatewayError: DEADLINE_EXCEEDED if the wait ends without a verdict.

        Returns:
            True if this request is the probation request; False if the pair is proven; None if
            the pair is suspended.
        """
        ends = self.monotonic() + within
        with self._changed:
            while self._on_probation and not self.suspended_for and self.monotonic() < ends:
                self._changed.wait(ends - self.monotonic())
            if self.suspended_for:
                return None
            if self._on_probation:
                raise GatewayError(ErrorCode.DEADLINE_EXCEEDED)
            if self.proven:
                return False
            self._on_probation = True
        allowed = None
        try:
            allowed = self._ask_replicas(ends)
        finally:
            if not allowed:
                self._end_probation()
        return allowed

    def _ask_replicas(self, ends: float) -> bool | None:
        """`acquire` for the one request of this process that may prove the pair."""
        while not self._suspended_elsewhere():
            if self._proven_elsewhere():
                self.proven = True
                return False
            if self._lock.acquire():
                return True
            if self.monotonic() >= ends:
                raise GatewayError(ErrorCode.DEADLINE_EXCEEDED)
            time.sleep(0.05)
        return None

    def release(self, probation: bool, verdict: Verdict) -> None:
        """Release the permission and report Huawei's verdict on the signature.

        Args:
            probation: Whether this was the probation request.
            verdict: Huawei's verdict.
        """
        if verdict is Verdict.ACCEPTED:
            self.last_success = datetime.fromtimestamp(self.now(), UTC)
            self.lifted = False
            if not self.proven:
                self.proven = True
                self.state.delete(self._key("refused"))
                self.state.put(self._key("proven"), b"1", PROVEN)
        elif verdict in _REASONS:
            self.proven = False
            self.state.delete(self._key("proven"))
            refusals = self.state.increase(self._key("refused"), SUSPENSION)
            if verdict is Verdict.LOCKED or refusals >= MAX_REFUSALS or self.lifted:
                self._suspend(_REASONS[verdict])
        if probation:
            self._lock.release()
            self._end_probation()

    def is_clock_due(self) -> bool:
        """Whether a look at Huawei's clock is due: the pair is suspended for the clock."""
        now = self.monotonic()
        waits = self.suspended_for > 0 and self.reason is ErrorCode.CLOCK_SKEWED
        # Lift it once only: Huawei refuses an expired temporary pair with the same text.
        if not waits or self.lifted or now < self._next_look:
            return False
        self._next_look = now + CLOCK_INTERVAL
        return True

    def lift(self) -> None:
        """End the suspension: the next request is the probation request."""
        self.lifted, self.suspended_until = True, 0.0
        self.state.delete(self._key("suspended"))

    def _end_probation(self) -> None:
        with self._changed:
            self._on_probation = False
            self._changed.notify_all()

    def _suspend(self, reason: ErrorCode) -> None:
        self.reason = reason
        self.suspended_until = self.monotonic() + SUSPENSION
        self._next_look = self.monotonic() + CLOCK_INTERVAL
        self.state.put(self._key("suspended"), reason.name.encode(), SUSPENSION)

    def _proven_elsewhere(self) -> bool:
        """Whether another replica has proved the pair, and none was refused since.

        The two are set by two commands each, so both can be there: then the pair is proved again.
        """
        proven = self.state.get(self._key("proven")) is not None
        return proven and not self.state.left(self._key("refused"))

    def _suspended_elsewhere(self) -> bool:
        """Whether another replica, or an earlier object of the same pair, suspended the pair."""
        key = self._key("suspended")
        found, left = self.state.get(key), self.state.left(key)
        if found is None or left <= 0:
            return False
        self.reason = ErrorCode[found.decode()]
        self.suspended_until = self.monotonic() + left
        return True

    def _key(self, what: str) -> str:
        return f"pair:{self.fingerprint}:{what}"
