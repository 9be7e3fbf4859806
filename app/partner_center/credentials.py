"""How an account proves to Huawei who it is: by a key pair's signature, or by a token."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from requests import PreparedRequest

from app.errors import ErrorCode, GatewayError
from app.observability import metrics
from app.observability.logs import event, logger
from app.partner_center.codes import Verdict
from app.partner_center.key_pair import KeyPair, Stamp, load, stamp
from app.partner_center.signing import SdkHmacAuth
from app.settings import PairSettings
from app.state import Sealing, State

LOOK_INTERVAL = 1.0  # seconds between two looks at the files
REFUSED_INTERVAL = 60.0  # seconds until a refused new pair is tried again with the same files

_log = logger("credentials")

Probe = Callable[[SdkHmacAuth], Verdict]


class Credentials(Protocol):
    """What signs an account's requests and is told what became of them."""

    def refresh(self, probe: Probe, at_once: bool = False) -> None:
        """Take what has changed into use. `probe` sends one harmless signed read."""

    def authorize(self, request: PreparedRequest) -> Any:
        """Sign the request in place; the answer goes to `settle`.

        Raises:
            GatewayError: if there is nothing to sign with now.
        """

    def settle(self, use: Any, verdict: Verdict) -> None:
        """Tell what upstream said of it. Every `authorize` is followed by one `settle`."""

    def has_other(self, use: Any) -> bool:
        """Whether a refused request may be repeated with another credential."""

    def usable(self) -> bool:
        """Whether there is anything to sign with, as far as the files tell."""

    def describe(self) -> dict[str, Any]:
        """What an operator may see; never a secret."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One use of a key pair."""

    pair: KeyPair
    proves: bool


@dataclass(slots=True)
class _Slot:
    files: PairSettings
    pair: KeyPair | None = None
    refused: Stamp | None = None
    refused_until: float = 0.0


class KeyPairs:
    """The key pairs of an account, in order: the first one that is usable signs.

    Args:
        account: The account's name.
        files: Where the pairs are mounted. Files are looked at again every second in which
            there are requests.
        state: Where refusals are counted.
        sealing: Names the pairs there.
        monotonic: The clock.
    """

    def __init__(
        self,
        account: str,
        files: Sequence[PairSettings],
        state: State,
        sealing: Sealing,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        self._slots = [_Slot(entry) for entry in files]
        self._state = state
        self._sealing = sealing
        self._monotonic = monotonic
        self._looking = threading.Lock()
        self._next_look = 0.0
        for slot in self._slots:
            self._load(slot)

    def refresh(self, probe: Probe, at_once: bool = False) -> None:
        """Take changed files into use once a read with the new pair was accepted.

        Meanwhile, and if it is refused, the last good pair goes on: a pair may be half-written.
        """
        if not at_once and self._monotonic() < self._next_look:
            return
        # One request looks; the others go on with what there is. After a refusal they wait.
        if not self._looking.acquire(blocking=at_once):
            return
        try:
            for slot in self._slots:
                self._look(slot, probe)
            self._next_look = self._monotonic() + LOOK_INTERVAL
        finally:
            self._looking.release()

    def authorize(self, request: PreparedRequest) -> Signature:
        """Sign the request with the first pair that is usable.

        Raises:
            GatewayError: UPSTREAM_ACCESS_DENIED, CLOCK_SKEWED or ACCESS_KEY_LOCKED.
        """
        for slot in self._slots:
            pair = slot.pair
            if pair is None or pair.expired:
                continue
            proves = pair.take()
            if proves is not None:
                pair.signer(request)
                return Signature(pair, proves)
        raise self._nothing_usable()

    def settle(self, use: Signature, verdict: Verdict) -> None:
        """Tell the pair what upstream said of its signature."""
        rested = use.pair.rest
        use.pair.give(use.proves, verdict)
        if verdict in (Verdict.REFUSED, Verdict.SKEWED, Verdict.LOCKED):
            self._report(verdict.value, "Huawei refused a signature", use.pair)
            if use.pair.rest and not rested:
                self._report("resting", "A key pair rests for Huawei's lock window", use.pair)

    def has_other(self, use: Signature) -> bool:
        """Whether another pair is usable now."""
        return any(
            slot.pair is not None
            and slot.pair is not use.pair
            and not slot.pair.rest
            and not slot.pair.expired
            for slot in self._slots
        )

    def usable(self) -> bool:
        """Whether the files of a pair could be read."""
        for slot in self._slots:
            if slot.pair is None:
                self._load(slot)
        return any(slot.pair is not None for slot in self._slots)

    def describe(self) -> dict[str, Any]:
        """Each pair's shortened access key, condition and times."""
        return {
            "authentication": "signature",
            "key_pairs": [
                {
                    "access_key": slot.pair.shortened,
                    "condition": slot.pair.condition,
                    "loaded_at": slot.pair.loaded_at,
                    "last_success": slot.pair.last_success,
                    "expires_at": slot.pair.expires_at,
                }
                if slot.pair
                else {"condition": "MISSING"}
                for slot in self._slots
            ],
        }

    def _load(self, slot: _Slot) -> KeyPair | None:
        """Read a slot's files; the first pair it ever holds is taken as it is."""
        try:
            pair = load(slot.files, self._state, self._sealing)
        except (OSError, ValueError):
            return None
        if slot.pair is None:
            slot.pair = pair
        return pair

    def _look(self, slot: _Slot, probe: Probe) -> None:
        try:
            seen = stamp(slot.files)
        except OSError:
            return  # a file is being replaced, or gone: the last good pair goes on
        current = slot.pair
        if current is not None and current.stamp == seen:
            return
        if slot.refused == seen and self._monotonic() < slot.refused_until:
            return
        found = self._load(slot)
        if found is None or current is None:
            return
        if found.fingerprint == current.fingerprint:
            current.stamp = found.stamp
            return
        verdict = _try(found, probe)
        if verdict is Verdict.ACCEPTED:
            slot.pair = found
            self._report("adopted", "A new key pair is in use", found)
        elif verdict is not Verdict.UNKNOWN:
            slot.refused, slot.refused_until = seen, self._monotonic() + REFUSED_INTERVAL
            self._report("kept", "A new key pair is refused: the last good one goes on", found)

    def _nothing_usable(self) -> GatewayError:
        pairs = [slot.pair for slot in self._slots if slot.pair is not None]
        resting = [pair for pair in pairs if pair.rest]
        if not resting:
            detail = "All key pairs are past their time." if pairs else None
            return GatewayError(
                ErrorCode.UPSTREAM_ACCESS_DENIED,
                detail or "No key pair of this account can be read from its files.",
            )
        first = min(resting, key=lambda pair: pair.rest)
        waits = first.reason is ErrorCode.ACCESS_KEY_LOCKED
        return GatewayError(first.reason, retry_after=first.rest if waits else None)

    def _report(self, what: str, text: str, pair: KeyPair) -> None:
        metrics.CREDENTIAL_EVENTS.labels(self._account, what).inc()
        level = logging.INFO if what == "adopted" else logging.ERROR
        event(_log, level, text, account=self._account, access_key=pair.shortened, verdict=what)


def _try(pair: KeyPair, probe: Probe) -> Verdict:
    """What upstream says of a pair that is not in use yet."""
    proves = pair.take()
    if proves is None:
        return Verdict.REFUSED
    verdict = Verdict.UNKNOWN
    try:
        verdict = probe(pair.signer)
    finally:
        pair.give(proves, verdict)
    return verdict
