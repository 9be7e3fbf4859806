"""The place of one key pair in the configuration: notices changed files, and rotates safely."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from app.errors import GatewayError
from app.huawei.codes import Verdict
from app.huawei.credentials.key_pair import KeyPair, Stamp, load, stamp
from app.huawei.credentials.signing import SdkHmacAuth, utc_now
from app.observability import metrics
from app.observability.logs import event, logger
from app.settings import PairSettings
from app.state import Sealing, State

REFUSED_INTERVAL = 60.0  # seconds until files that were of no use are tried again unchanged

_log = logger("credentials")

Probe = Callable[[SdkHmacAuth], Verdict]


def report(account: str, what: str, text: str, pair: KeyPair) -> None:
    """Count and log what happened to a pair."""
    metrics.CREDENTIAL_EVENTS.labels(account, what).inc()
    level = logging.INFO if what == "adopted" else logging.ERROR
    event(_log, level, text, account=account, access_key=pair.shortened, verdict=what)


class KeySlot:
    """The last good pair of some files.

    The first pair that the files hold is taken as it is. A later one takes over once Huawei has
    accepted a harmless read signed with it, for files can be half-written: a new access key
    beside the old secret. Until then the last good pair goes on.

    Args:
        account: The account's name.
        files: Where the pair is mounted.
        state: Where refusals are counted.
        sealing: Names the pairs there.
        monotonic: The clock of intervals.
        now: The clock of expiries.
    """

    def __init__(
        self,
        account: str,
        files: PairSettings,
        state: State,
        sealing: Sealing,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._account = account
        self._files = files
        self._state = state
        self._sealing = sealing
        self._monotonic = monotonic
        self._now = now
        self._useless: Stamp | None = None
        self._useless_until = 0.0
        self.pair = self._load()

    def look(self, probe: Probe) -> None:
        """Take changed files into use, if they are of use. One thread at a time may look."""
        try:
            seen = stamp(self._files)
        except OSError:
            return  # a file is being replaced, or gone: the last good pair goes on
        if self.pair is None:
            self.pair = self._load()
        elif self.pair.stamp != seen and not self._known_as_useless(seen):
            self._replace(self.pair, seen, probe)

    def _replace(self, current: KeyPair, seen: Stamp, probe: Probe) -> None:
        found = self._load()
        if found is None:
            self._keep(seen, current, "Changed key files cannot be read: the last pair goes on")
            return
        if found.fingerprint == current.fingerprint:
            current.stamp, current.expires_at = found.stamp, found.expires_at
            return
        verdict = _try(found, probe)
        if verdict is Verdict.ACCEPTED:
            self.pair = found
            report(self._account, "adopted", "A new key pair is in use", found)
        elif verdict is not Verdict.UNKNOWN:
            self._keep(seen, found, "A new key pair is refused: the last good one goes on")

    def _keep(self, seen: Stamp, pair: KeyPair, text: str) -> None:
        self._useless, self._useless_until = seen, self._monotonic() + REFUSED_INTERVAL
        report(self._account, "kept", text, pair)

    def _known_as_useless(self, seen: Stamp) -> bool:
        return self._useless == seen and self._monotonic() < self._useless_until

    def _load(self) -> KeyPair | None:
        try:
            return load(
                self._files, self._state, self._sealing, monotonic=self._monotonic, now=self._now
            )
        except (OSError, ValueError):
            return None


def _try(pair: KeyPair, probe: Probe) -> Verdict:
    """What upstream says of a pair that is not in use yet."""
    try:
        proves = pair.take()
    except GatewayError:
        return Verdict.UNKNOWN  # another replica is trying it
    if proves is None:
        return Verdict.REFUSED
    verdict = Verdict.UNKNOWN
    try:
        verdict = probe(pair.signer)
    finally:
        pair.give(proves, verdict)
    return verdict
