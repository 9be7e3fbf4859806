"""The credentials of an account: the interface, and its implementation by key pairs."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from requests import PreparedRequest

from app.errors import ErrorCode, GatewayError
from app.huawei.codes import Verdict
from app.huawei.credentials.key_pair import KeyPair
from app.huawei.credentials.key_slot import KeySlot, Probe, report
from app.huawei.credentials.signing import SdkHmacAuth
from app.huawei.pacing.deadline import WRITE
from app.settings import PairSettings
from app.state import Sealing, State

CHECK_INTERVAL = 1.0  # seconds between two checks of the files


def _no_probe(_: SdkHmacAuth | None) -> Verdict:
    """Stands in for a probe where none is sent: a first pair is adopted without a probe."""
    return Verdict.UNKNOWN


class Credentials(Protocol):
    """Authorizes an account's requests, and receives Huawei's verdict on each of them."""

    def refresh(self, probe: Probe, at_once: bool = False, within: float = 0.0) -> bool:
        """Adopt a changed credential.

        Args:
            probe: Sends one read and returns Huawei's verdict.
            at_once: Whether to check now, even if the last check was less than an interval ago.
            within: Seconds to wait for a check of another request, and for a probe of another
                replica.

        Returns:
            True if this call checked for changes.
        """

    def authorize(
        self, request: PreparedRequest, uses: Sequence[Any] = (), within: float = WRITE
    ) -> Any:
        """Add a credential to the request, in place.

        Args:
            request: The request.
            uses: Earlier results for this request, whose credentials are not used again.
            within: Seconds until the deadline.

        Raises:
            GatewayError: if no credential is usable now.

        Returns:
            The use of the credential, for `settle`.
        """

    def is_valid(self, use: Any) -> bool:
        """Whether a request may still be sent with this use, after a wait."""

    def settle(self, use: Any, verdict: Verdict) -> None:
        """Report Huawei's verdict on a use. Each `authorize` is followed by one `settle`."""

    def may_repeat(self, uses: Sequence[Any], verdict: Verdict) -> bool:
        """Whether the request may be sent with another credential.

        Args:
            uses: The uses of credentials for this request; the last use was refused.
            verdict: Huawei's verdict on the last use.
        """

    def usable(self) -> bool:
        """Whether the files hold a credential."""

    def describe(self) -> dict[str, Any]:
        """The condition of the credentials, without secrets."""


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

    def refresh(self, probe: Probe, at_once: bool = False, within: float = 0.0) -> bool:
        """Adopt the new key pair if the files changed and Huawei accepts it.

        During the probe, and if Huawei refuses the new pair, the last good pair stays in use.

        Args:
            probe: Sends one read and returns Huawei's verdict.
            at_once: Whether to check now, even if the last check was less than an interval ago.
            within: Seconds to wait for a check of another request, and for a probe of another
                replica.

        Returns:
            True if this call checked the files.
        """
        if not at_once and self._monotonic() < self._next_check:
            return False
        # One request checks; the others use the present pair. After a refusal they wait.
        ends = self._monotonic() + within
        if not self._checking.acquire(timeout=max(0.0, within) if at_once else 0.0):
            return False
        try:
            for slot in self._slots:
                slot.refresh(probe, max(0.0, ends - self._monotonic()))
            self._next_check = self._monotonic() + CHECK_INTERVAL
            return True
        finally:
            self._checking.release()

    def authorize(
        self, request: PreparedRequest, uses: Sequence[Signature] = (), within: float = WRITE
    ) -> Signature:
        """Sign the request with the first usable pair that is not among `uses`.

        Raises:
            GatewayError: UPSTREAM_ACCESS_DENIED, CLOCK_SKEWED or ACCESS_KEY_LOCKED if no pair is
                usable; DEADLINE_EXCEEDED if the pair was not proven in time.
        """
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

    def may_repeat(self, uses: Sequence[Signature], verdict: Verdict) -> bool:
        """Whether the refusal concerns the used pair alone, and another pair is usable."""
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
        """Whether the files of at least one pair could be read."""
        for slot in self._slots:
            if slot.pair is None:
                with self._checking:
                    slot.refresh(_no_probe)
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
