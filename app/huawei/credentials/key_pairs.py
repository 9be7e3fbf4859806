"""The credentials of an account by key pairs."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from requests import PreparedRequest

from app.errors import ErrorCode, GatewayError
from app.huawei.codes import Verdict
from app.huawei.credentials.key_pair import KeyPair
from app.huawei.credentials.key_slot import KeySlot, Probe, report
from app.huawei.credentials.signing import SdkHmacAuth
from app.settings import PairSettings
from app.state import Sealing, State

CHECK_INTERVAL = 1.0  # seconds between two checks of the files
LONGEST_WAIT = 5.0  # seconds for which a request waits for a check of another request


def _no_probe(_: SdkHmacAuth | None) -> Verdict:
    """Stands in for a probe where none is sent: a first pair is adopted without a probe."""
    return Verdict.UNKNOWN


@dataclass(frozen=True, slots=True)
class Signature:
    """One use of a key pair.

    Args:
        pair: The pair that signed.
        probation: Whether the request is the pair's probation request.
    """

    pair: KeyPair
    probation: bool


class KeyPairs:
    """The key pairs of an account, in order: the first usable pair signs.

    Args:
        account: The account's name.
        files: The files of the pairs. A request checks the files if the last check was more
            than CHECK_INTERVAL ago.
        state: Counts the refusals of the pairs.
        sealing: Computes the fingerprints that name pairs in the state.
        monotonic: The clock of intervals, in seconds.
        now: The wall clock, in seconds, for expiry times.
    """

    def __init__(
        self,
        account: str,
        files: Sequence[PairSettings],
        state: State,
        sealing: Sealing,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._slots = [KeySlot(account, entry, state, sealing, monotonic, now) for entry in files]
        self._monotonic = monotonic
        self._checking = threading.Lock()
        self._next_check = 0.0

    def authorize(
        self,
        request: PreparedRequest,
        uses: Sequence[Signature],
        probe: Probe,
        within: float,
    ) -> Signature:
        """Sign the request with the first usable pair that is not among `uses`.

        Raises:
            GatewayError: UPSTREAM_ACCESS_DENIED, CLOCK_SKEWED or ACCESS_KEY_LOCKED if no pair is
                usable; DEADLINE_EXCEEDED if the pair was not proven in time.
        """
        ends = self._monotonic() + within
        if self._monotonic() >= self._next_check:
            self._refresh(probe, 0.0)
        try:
            return self._sign(request, uses, within)
        except GatewayError:
            # The files may hold another pair by now.
            left = ends - self._monotonic()
            if not self._refresh(probe, left):
                raise
            return self._sign(request, uses, ends - self._monotonic())

    def _sign(
        self, request: PreparedRequest, uses: Sequence[Signature], within: float
    ) -> Signature:
        for pair in self._usable_pairs(uses):
            probation = pair.acquire(within)
            if probation is not None:
                try:
                    pair.signer(request)
                except BaseException:
                    pair.release(probation, Verdict.UNKNOWN)
                    raise
                return Signature(pair, probation)
        raise self._nothing_usable()

    def _refresh(self, probe: Probe, left: float) -> bool:
        """Adopt the new key pair if the files changed and Huawei accepts it.

        During the probe, and if Huawei refuses the new pair, the last good pair stays in use.

        Args:
            probe: Sends one read and returns Huawei's verdict.
            left: Seconds until the deadline. A part of them may pass while another request checks
                the files, or another replica probes.

        Returns:
            True if this call checked the files.
        """
        within = max(0.0, min(LONGEST_WAIT, left / 2))
        ends = self._monotonic() + within
        if not self._checking.acquire(timeout=within):
            return False
        try:
            for slot in self._slots:
                slot.refresh(probe, max(0.0, ends - self._monotonic()))
            self._next_check = self._monotonic() + CHECK_INTERVAL
            return True
        finally:
            self._checking.release()

    def is_valid(self, use: Signature) -> bool:
        """Whether a request may still be sent with this signature, after a wait."""
        return use.pair.may_send(use.probation)

    def settle(self, use: Signature, verdict: Verdict) -> None:
        """Report Huawei's verdict to the pair, and log a refusal or a suspension."""
        was_suspended = use.pair.suspended_for
        use.pair.release(use.probation, verdict)
        if verdict in (Verdict.REFUSED, Verdict.SKEWED, Verdict.LOCKED):
            report(self._account, verdict.value, "Huawei refused a signature", use.pair)
            if use.pair.suspended_for and not was_suspended:
                text = "A key pair is suspended for the length of Huawei's lock"
                if verdict is Verdict.SKEWED:
                    text = "A key pair is suspended until our clock is right"
                report(self._account, "suspended", text, use.pair)

    def may_repeat(
        self, uses: Sequence[Signature], verdict: Verdict, probe: Probe, within: float
    ) -> bool:
        """Whether the refusal concerns the used pair alone, and another pair is usable."""
        self._refresh(probe, within)
        # Huawei answers an expired temporary pair with the same text as a skewed clock.
        temporary = uses[-1].pair.signer.session_token is not None
        concerns_pair = verdict in (Verdict.REFUSED, Verdict.LOCKED) or (
            verdict is Verdict.SKEWED and temporary
        )
        return concerns_pair and bool(self._usable_pairs(uses))

    def _usable_pairs(self, uses: Sequence[Signature]) -> list[KeyPair]:
        used = [use.pair for use in uses]
        pairs = [slot.pair for slot in self._slots if slot.pair is not None]
        return [
            pair
            for pair in pairs
            if not pair.suspended_for and not pair.expired and pair not in used
        ]

    def usable(self) -> bool:
        """Whether the files of at least one pair could be read. Waits for nobody."""
        if any(slot.pair is None for slot in self._slots) and self._checking.acquire(
            blocking=False
        ):
            try:
                for slot in self._slots:
                    if slot.pair is None:
                        slot.refresh(_no_probe)
            finally:
                self._checking.release()
        return any(slot.pair is not None for slot in self._slots)

    def describe(self) -> dict[str, Any]:
        """Each pair's shortened access key, condition, times, and how its files look now."""
        self.usable()  # reads the files of a pair that could not be read before
        return {
            "authentication": "signature",
            "key_pairs": [
                {
                    "access_key": slot.pair.shortened,
                    "condition": slot.pair.condition,
                    "files": slot.files,
                    "written_at": slot.pair.written_at,
                    "loaded_at": slot.pair.loaded_at,
                    "last_success": slot.pair.last_success,
                    "expires_at": slot.pair.expires_at,
                }
                if slot.pair
                else {"condition": "MISSING", "files": slot.files}
                for slot in self._slots
            ],
        }

    def _nothing_usable(self) -> GatewayError:
        pairs = [slot.pair for slot in self._slots if slot.pair is not None]
        suspended = [pair for pair in pairs if pair.suspended_for]
        if not suspended:
            detail = "All key pairs of this account have expired." if pairs else None
            return GatewayError(
                ErrorCode.UPSTREAM_ACCESS_DENIED,
                detail or "No key pair of this account can be read from its files.",
            )
        first = min(suspended, key=lambda pair: pair.suspended_for)
        return GatewayError(first.reason, retry_after=first.retry_after)
