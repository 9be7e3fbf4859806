"""One configured key pair: detects changed files and adopts the new pair safely."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from app.errors import GatewayError
from app.huawei.codes import Verdict
from app.huawei.credentials.key_files import Stamp, read_key, read_keys, stamp
from app.huawei.credentials.key_pair import KeyPair
from app.huawei.credentials.signing import SdkHmacAuth
from app.observability import metrics
from app.observability.logs import event, logger
from app.settings import PairSettings
from app.state import Sealing, State

REFUSED_INTERVAL = 60.0  # seconds until rejected files are tried again if they do not change

_log = logger("credentials")

# Sends one read and returns Huawei's verdict on its signature. Without a signer the read is not
# signed, and the verdict is on our clock: ACCEPTED, SKEWED, or UNKNOWN without an answer.
Probe = Callable[[SdkHmacAuth | None], Verdict]


def report(account: str, name: str, text: str, pair: KeyPair) -> None:
    """Count and log an event of a pair.

    Args:
        account: The account's name.
        name: The event's name in metrics.
        text: The event in the log.
        pair: The pair.
    """
    metrics.CREDENTIAL_EVENTS.labels(account, name).inc()
    level = logging.INFO if name in ("adopted", "lifted") else logging.ERROR
    event(_log, level, text, account=account, access_key=pair.shortened, verdict=name)


class KeySlot:
    """The last good pair of one set of key files.

    The first pair is adopted without a probe. A later pair is adopted after Huawei has accepted a
    probe signed with it: files can be half-written, with a new access key beside the old secret.
    Until then the last good pair stays in use.

    Args:
        account: The account's name.
        files: The files of the pair.
        state: Counts the refusals of the pair.
        sealing: Computes the fingerprints that name pairs in the state.
        monotonic: The clock of intervals, in seconds.
        now: The wall clock, in seconds, for expiry times.
    """

    def __init__(
        self,
        account: str,
        files: PairSettings,
        state: State,
        sealing: Sealing,
        monotonic: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._account = account
        self._files = files
        self._state = state
        self._sealing = sealing
        self._monotonic = monotonic
        self._now = now
        self._rejected: Stamp | None = None
        self._rejected_until = 0.0
        self.pair = self._load()

    @property
    def files(self) -> str:
        """How the files look now: CURRENT, CHANGED since the pair in use was read, or MISSING."""
        try:
            seen = stamp(self._files)
        except OSError:
            return "MISSING"
        return "CURRENT" if self.pair is not None and self.pair.stamp == seen else "CHANGED"

    def refresh(self, probe: Probe, within: float = 0.0) -> None:
        """Adopt the new key pair if the files changed and Huawei accepts it.

        Only one thread at a time may call this.

        Args:
            probe: Sends one read and returns Huawei's verdict.
            within: Seconds to wait for a probe of another replica.
        """
        if self.pair and self.pair.is_clock_due() and probe(None) is Verdict.ACCEPTED:
            self.pair.lift()
            report(self._account, "lifted", "Our clock is right; the key pair is used", self.pair)
        try:
            seen = stamp(self._files)
        except OSError:
            return  # a file is missing, perhaps during a replacement: keep the last good pair
        if self.pair is None:
            self.pair = self._load()
        elif self.pair.stamp != seen and not self._is_rejected(seen):
            self._replace(self.pair, seen, probe, within)

    def _replace(self, current: KeyPair, seen: Stamp, probe: Probe, within: float) -> None:
        found = self._load()
        if found is None:
            text = "Changed key files cannot be read; the old key pair stays in use"
            self._reject(seen, current, text)
            return
        if found.fingerprint == current.fingerprint:
            current.stamp, current.expires_at = found.stamp, found.expires_at
            return
        verdict = _probe_verdict(found, probe, within)
        if verdict is Verdict.ACCEPTED:
            self.pair = found
            report(self._account, "adopted", "A new key pair is in use", found)
        elif verdict is not Verdict.UNKNOWN:
            text = "Huawei refuses the new key pair; the old key pair stays in use"
            self._reject(seen, found, text)

    def _reject(self, seen: Stamp, pair: KeyPair, text: str) -> None:
        self._rejected, self._rejected_until = seen, self._monotonic() + REFUSED_INTERVAL
        report(self._account, "kept", text, pair)

    def _is_rejected(self, seen: Stamp) -> bool:
        return self._rejected == seen and self._monotonic() < self._rejected_until

    def _load(self) -> KeyPair | None:
        try:
            return load(
                self._files, self._state, self._sealing, monotonic=self._monotonic, now=self._now
            )
        except (OSError, ValueError):
            return None


def _probe_verdict(pair: KeyPair, probe: Probe, within: float) -> Verdict:
    """Huawei's verdict on a pair that is not in use yet."""
    try:
        probation = pair.acquire(within)
    except GatewayError:
        return Verdict.UNKNOWN  # another replica is probing the pair
    if probation is None:
        return Verdict.REFUSED
    verdict = Verdict.UNKNOWN
    try:
        verdict = probe(pair.signer)
    finally:
        pair.release(probation, verdict)
    return verdict


def load(
    files: PairSettings,
    state: State,
    sealing: Sealing,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    now: Callable[[], float] = time.time,
) -> KeyPair:
    """The pair that the files hold now.

    Args:
        files: The files of the pair.
        state: Shares refusals and suspensions with the other replicas.
        sealing: Computes the fingerprint that names the pair in the state.
        monotonic: The clock of intervals, in seconds.
        now: The wall clock, in seconds.

    Raises:
        OSError: if a file cannot be read.
        ValueError: if a file holds no printable text, or the expiry file holds no time.
    """
    seen = stamp(files)
    access_key, secret_key = read_keys(files)
    token = read_key(files.security_token_file) if files.security_token_file else None
    expires_at = None
    if files.expires_at_file:
        expires_at = datetime.fromisoformat(read_key(files.expires_at_file))
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
