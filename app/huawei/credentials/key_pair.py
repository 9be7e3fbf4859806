"""One key pair of an account: read from its files, guarded against being locked.

Huawei locks an access key for everybody for five minutes after more than five refused signatures
in a row. So a pair that is not proven signs one request at a time, and after two refusals it
rests until that window is over.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from app.errors import ErrorCode, GatewayError
from app.huawei.codes import Verdict
from app.huawei.credentials.signing import SdkHmacAuth, utc_now
from app.settings import KeyFiles, PairSettings
from app.state import Sealing, State

MAX_REFUSALS = 2
REST = 300.0  # seconds, Huawei's lock window
PROBATION = 30.0  # seconds; longer than one call takes

_RESTS: dict[Verdict, ErrorCode] = {
    Verdict.REFUSED: ErrorCode.UPSTREAM_ACCESS_DENIED,
    Verdict.SKEWED: ErrorCode.CLOCK_SKEWED,
    Verdict.LOCKED: ErrorCode.ACCESS_KEY_LOCKED,
}

Stamp = tuple[tuple[int, int, int], ...]


def _paths(files: PairSettings) -> list[Path]:
    optional = (files.security_token_file, files.expires_at_file)
    return [files.access_key_file, files.secret_key_file, *(path for path in optional if path)]


def stamp(files: PairSettings) -> Stamp:
    """What changes when a file is replaced: also when a link in its path points elsewhere."""
    stats = [path.stat() for path in _paths(files)]
    return tuple((stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in stats)


def _read(path: Path) -> str:
    text = path.read_text(encoding="ascii").strip()
    if not text or not text.isprintable():
        raise ValueError("a key is printable text")
    return text


def read_keys(files: KeyFiles) -> tuple[str, str]:
    """Access key and secret key as the files hold them now.

    Raises:
        OSError, ValueError: if one of them cannot be read, or holds no key.
    """
    return _read(files.access_key_file), _read(files.secret_key_file)


@dataclass(slots=True, eq=False)
class KeyPair:
    """A pair as its files held it at one time."""

    signer: SdkHmacAuth
    stamp: Stamp
    fingerprint: str
    expires_at: datetime | None
    state: State = field(repr=False)
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False)
    now: Callable[[], datetime] = field(default=utc_now, repr=False)
    proven: bool = False
    rests_until: float = 0.0
    reason: ErrorCode = ErrorCode.UPSTREAM_ACCESS_DENIED
    loaded_at: datetime = field(init=False)
    last_success: datetime | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _on_probation: bool = False

    def __post_init__(self) -> None:
        self.loaded_at = self.now()

    @property
    def shortened(self) -> str:
        """As much of the access key as may be shown."""
        return f"{self.signer.access_id[:4]}…{self.signer.access_id[-2:]}"

    @property
    def written_at(self) -> datetime:
        """When the last of its files was written."""
        return datetime.fromtimestamp(max(file[1] for file in self.stamp) / 1e9, UTC)

    @property
    def expired(self) -> bool:
        """Whether it is a temporary pair past its time."""
        return self.expires_at is not None and self.expires_at <= self.now()

    @property
    def rest(self) -> float:
        """Seconds for which it must not sign."""
        return max(0.0, self.rests_until - self.monotonic())

    @property
    def condition(self) -> str:
        """Its condition in one word."""
        if self.expired:
            return "EXPIRED"
        if self.rest:
            return "LOCKED" if self.reason is ErrorCode.ACCESS_KEY_LOCKED else "REFUSED"
        return "PROVEN" if self.proven else "UNPROVEN"

    def take(self, within: float = PROBATION) -> bool | None:
        """Get leave to sign one request, and tell whether that request is to prove the pair.

        While the pair is not proven one request at a time has leave, in all replicas that share
        a state; the others wait for what becomes of it.

        Args:
            within: Seconds to wait.

        Raises:
            GatewayError: DEADLINE_EXCEEDED if nothing became of it in that time.

        Returns:
            True if the request proves the pair, False if that is done; None if the pair rests.
        """
        ends = self.monotonic() + min(
            within, PROBATION
        )  # a holder that died must not hold the others
        with self._changed:
            while self._on_probation and not self.rest and self.monotonic() < ends:
                self._changed.wait(ends - self.monotonic())
            if self._on_probation and not self.rest and within < PROBATION:
                raise GatewayError(ErrorCode.DEADLINE_EXCEEDED)
            if self.rest:
                return None
            if self.proven:
                return False
            self._on_probation = True
        while not self._rests_elsewhere():
            if self.state.add(self._key("turn"), b"1", PROBATION):
                return True
            if self.monotonic() >= ends:
                self._end_probation()
                raise GatewayError(ErrorCode.DEADLINE_EXCEEDED)
            time.sleep(0.05)
        self._end_probation()
        return None

    def give(self, proves: bool, verdict: Verdict) -> None:
        """Give the leave back, with what upstream said of the signature."""
        if verdict is Verdict.ACCEPTED:
            self.last_success = self.now()
            if not self.proven:
                self.proven = True
                self.state.delete(self._key("refused"))
        elif verdict in _RESTS:
            self.proven = False
            refusals = self.state.increase(self._key("refused"), REST)
            if verdict is Verdict.LOCKED or refusals >= MAX_REFUSALS:
                self._lie_down(_RESTS[verdict])
        if proves:
            self.state.delete(self._key("turn"))
            self._end_probation()

    def _end_probation(self) -> None:
        with self._changed:
            self._on_probation = False
            self._changed.notify_all()

    def _lie_down(self, reason: ErrorCode) -> None:
        self.reason = reason
        self.rests_until = self.monotonic() + REST
        ends = self.now().timestamp() + REST
        self.state.put(self._key("rests"), f"{reason.name} {ends}".encode(), REST)
        self.state.delete(self._key("refused"))

    def _rests_elsewhere(self) -> bool:
        """Whether another replica, or an earlier reading of the same files, was refused."""
        found = self.state.get(self._key("rests"))
        if found is None:
            return False
        name, _, until = found.decode().partition(" ")
        left = float(until) - self.now().timestamp()
        if left > 0:
            self.reason = ErrorCode[name]
            self.rests_until = self.monotonic() + left
        return left > 0

    def _key(self, what: str) -> str:
        return f"pair:{self.fingerprint}:{what}"


def load(
    files: PairSettings,
    state: State,
    sealing: Sealing,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] = utc_now,
) -> KeyPair:
    """The pair that the files hold now.

    Raises:
        OSError, ValueError: if one of the files cannot be read, or does not hold what it should.
    """
    seen = stamp(files)
    access_key, secret_key = read_keys(files)
    token = _read(files.security_token_file) if files.security_token_file else None
    expires_at = None
    if files.expires_at_file:
        expires_at = datetime.fromisoformat(_read(files.expires_at_file))
        expires_at = expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)
    return KeyPair(
        signer=SdkHmacAuth(access_key, secret_key, token),
        stamp=seen,
        fingerprint=sealing.fingerprint(access_key, secret_key, token or ""),
        expires_at=expires_at,
        state=state,
        monotonic=monotonic,
        now=now,
    )
