"""How an account proves to Huawei who it is: by a key pair's signature, or by a token."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from requests import PreparedRequest

from app.errors import ErrorCode, GatewayError
from app.huawei.codes import Verdict
from app.huawei.credentials.key_pair import PROBATION, KeyPair
from app.huawei.credentials.key_slot import KeySlot, Probe, report
from app.huawei.credentials.signing import SdkHmacAuth, utc_now
from app.settings import PairSettings
from app.state import Sealing, State

LOOK_INTERVAL = 1.0  # seconds between two looks at the files


def _never(_: SdkHmacAuth) -> Verdict:
    """A probe for a slot without a pair, whose first pair is taken as it is."""
    return Verdict.UNKNOWN


class Credentials(Protocol):
    """What signs an account's requests and is told what became of them."""

    def refresh(self, probe: Probe, at_once: bool = False) -> bool:
        """Take what has changed into use; whether there was a look at it.

        Args:
            probe: Sends one harmless signed read.
            at_once: Whether to look now and not after the usual interval.
        """

    def ensure_usable(self) -> None:
        """See at once whether there is anything to sign with, before any waiting.

        Raises:
            GatewayError: as `authorize` would.
        """

    def authorize(
        self, request: PreparedRequest, uses: Sequence[Any] = (), within: float = PROBATION
    ) -> Any:
        """Sign the request in place; the answer goes to `settle`.

        Args:
            request: The request.
            uses: What was refused for this request, which is not used again for it.
            within: Seconds that this may take.

        Raises:
            GatewayError: if there is nothing to sign with now.
        """

    def settle(self, use: Any, verdict: Verdict) -> None:
        """Tell what upstream said of it. Every `authorize` is followed by one `settle`."""

    def may_repeat(self, uses: Sequence[Any], verdict: Verdict) -> bool:
        """Whether a request that was refused like this may be sent with another credential."""

    def usable(self) -> bool:
        """Whether there is anything to sign with, as far as the files tell."""

    def describe(self) -> dict[str, Any]:
        """What an operator may see; never a secret."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One use of a key pair."""

    pair: KeyPair
    proves: bool


class KeyPairs:
    """The key pairs of an account, in order: the first one that is usable signs.

    Args:
        account: The account's name.
        files: Where the pairs are mounted. Files are looked at again every second in which
            there are requests.
        state: Where refusals are counted.
        sealing: Names the pairs there.
        monotonic: The clock of intervals.
        now: The clock of expiries.
    """

    def __init__(
        self,
        account: str,
        files: Sequence[PairSettings],
        state: State,
        sealing: Sealing,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._account = account
        self._slots = [KeySlot(account, entry, state, sealing, monotonic, now) for entry in files]
        self._monotonic = monotonic
        self._looking = threading.Lock()
        self._next_look = 0.0

    def refresh(self, probe: Probe, at_once: bool = False) -> bool:
        """Take changed files into use once a read with the new pair was accepted.

        Meanwhile, and if it is refused, the last good pair goes on: a pair may be half-written.
        """
        if not at_once and self._monotonic() < self._next_look:
            return False
        # One request looks; the others go on with what there is. After a refusal they wait.
        if not self._looking.acquire(blocking=at_once):
            return False
        try:
            for slot in self._slots:
                slot.look(probe)
            self._next_look = self._monotonic() + LOOK_INTERVAL
            return True
        finally:
            self._looking.release()

    def ensure_usable(self) -> None:
        """See whether a pair is usable."""
        if not self._usable_pairs(()):
            raise self._nothing_usable()

    def authorize(
        self, request: PreparedRequest, uses: Sequence[Signature] = (), within: float = PROBATION
    ) -> Signature:
        """Sign the request with the first pair that is usable, and was not refused for it.

        Raises:
            GatewayError: UPSTREAM_ACCESS_DENIED, CLOCK_SKEWED or ACCESS_KEY_LOCKED;
                DEADLINE_EXCEEDED if the pair was not proven in time.
        """
        for pair in self._usable_pairs(uses):
            proves = pair.take(within)
            if proves is not None:
                pair.signer(request)
                return Signature(pair, proves)
        raise self._nothing_usable()

    def settle(self, use: Signature, verdict: Verdict) -> None:
        """Tell the pair what upstream said of its signature."""
        rested = use.pair.rest
        use.pair.give(use.proves, verdict)
        if verdict in (Verdict.REFUSED, Verdict.SKEWED, Verdict.LOCKED):
            report(self._account, verdict.value, "Huawei refused a signature", use.pair)
            if use.pair.rest and not rested:
                report(
                    self._account, "resting", "A key pair rests for Huawei's lock window", use.pair
                )

    def may_repeat(self, uses: Sequence[Signature], verdict: Verdict) -> bool:
        """Whether another pair is usable now, and the refusal was about the one that was used."""
        # A temporary pair past its time is told in the words of a clock that is off.
        temporary = uses[-1].pair.signer.session_token is not None
        own_fault = verdict in (Verdict.REFUSED, Verdict.LOCKED) or (
            verdict is Verdict.SKEWED and temporary
        )
        return own_fault and bool(self._usable_pairs(uses))

    def _usable_pairs(self, uses: Sequence[Signature]) -> list[KeyPair]:
        refused = [use.pair for use in uses]
        pairs = [slot.pair for slot in self._slots if slot.pair is not None]
        return [
            pair for pair in pairs if not pair.rest and not pair.expired and pair not in refused
        ]

    def usable(self) -> bool:
        """Whether the files of a pair could be read."""
        for slot in self._slots:
            if slot.pair is None:
                with self._looking:
                    slot.look(_never)
        return any(slot.pair is not None for slot in self._slots)

    def describe(self) -> dict[str, Any]:
        """Each pair's shortened access key, condition and times."""
        return {
            "authentication": "signature",
            "key_pairs": [
                {
                    "access_key": slot.pair.shortened,
                    "condition": slot.pair.condition,
                    "written_at": slot.pair.written_at,
                    "loaded_at": slot.pair.loaded_at,
                    "last_success": slot.pair.last_success,
                    "expires_at": slot.pair.expires_at,
                }
                if slot.pair
                else {"condition": "MISSING"}
                for slot in self._slots
            ],
        }

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
