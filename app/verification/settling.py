"""Settles submissions whose answer was lost, if the customer's state proves the outcome."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import FLOOR, Errand
from app.verification.idempotency import Attempt
from app.verification.lost_answers import proves
from app.verification.model import Kind, Status, Verification

READ_BEFORE = 3.0  # seconds that the read of the state before a submission may take
# Seconds before each read of the state after a lost answer: a new submission may show late.
PAUSES = (0.2, 0.8, 2.0)

# After these failures it is unknown whether Huawei processed the submission.
_UNCLEAR = frozenset(
    {ErrorCode.OUTCOME_UNKNOWN, ErrorCode.UPSTREAM_ERROR, ErrorCode.UPSTREAM_MALFORMED}
)
# The state cannot be read now: the caller may repeat the same request.
_NOT_NOW = frozenset(
    {
        ErrorCode.ACCESS_KEY_LOCKED,
        ErrorCode.CIRCUIT_OPEN,
        ErrorCode.CLOCK_SKEWED,
        ErrorCode.UPSTREAM_ACCESS_DENIED,
    }
)


@dataclass(slots=True)
class Submission:
    """A submission that is being sent.

    Args:
        kind: What is submitted.
        customer_id: For whom.
        errand: For which caller, and until when.
        attempt: The try of the write.
        before: The customer's state before it is sent; None while it is not known.
    """

    kind: Kind
    customer_id: str
    errand: Errand
    attempt: Attempt
    before: Status | None = None


class Settling:
    """Sends submissions so that no answer claims what Huawei did not say.

    Args:
        read: Reads a customer's verification.
    """

    def __init__(self, read: Callable[[str, Errand], Verification]) -> None:
        self._read = read

    def settle(self, submission: Submission) -> Verification | None:
        """Settle the earlier try with the same key, if there was one.

        Returns:
            The outcome of the earlier try, if the customer's state proves that Huawei processed
            it. None if there was no earlier try, or if the submission must be sent.

        Raises:
            GatewayError: if the state cannot be read. Nothing may be sent then.
        """
        earlier = submission.attempt.earlier
        if earlier is None:
            return None
        try:
            seen = self._read_before(submission)
        except GatewayError as error:
            if error.code in _NOT_NOW:
                raise
            raise GatewayError(ErrorCode.OUTCOME_UNKNOWN, write=True) from None
        submission.before = seen.status
        if proves(earlier.backend, submission.kind, earlier.before, seen.status):
            return _settled(submission, earlier.backend, seen)
        return None

    def send(
        self, submission: Submission, backend: str, send: Callable[[], Verification]
    ) -> Verification:
        """Send a submission. If the answer is lost, conclude the outcome from the state.

        Args:
            submission: The submission.
            backend: The backend that it is sent to.
            send: Sends it.

        Raises:
            GatewayError: the failure of `send`, where the state does not prove the outcome.
        """
        self._note_state(submission, backend)
        submission.attempt.sending(backend, submission.before)
        earlier = submission.attempt.earlier
        try:
            result = send()
        except GatewayError as error:
            found = None
            if error.code in _UNCLEAR:
                found = self._conclude(submission, backend, submission.before, PAUSES)
            elif error.code is ErrorCode.ALREADY_VERIFIED_OR_IN_REVIEW and earlier is not None:
                # Huawei can refuse because of our own earlier try, which did not show before.
                found = self._conclude(submission, earlier.backend, earlier.before, (0.0,))
            if found is None:
                raise
            return found
        if result.status is Status.REJECTED and not proves(
            backend, submission.kind, submission.before, result.status
        ):
            # This can be the rejection of an earlier submission: the new one may show late.
            return replace(result, status=Status.IN_REVIEW, reason=None)
        return result

    def _note_state(self, submission: Submission, backend: str) -> None:
        """Read the state before sending, where a lost answer could not be settled otherwise.

        Without an Idempotency-Key nobody can ask again for the outcome on the legacy backend. If
        the state cannot be read, the submission is sent all the same.
        """
        asked_again = backend != "legacy" or submission.attempt.keyed
        if submission.before is None and asked_again:
            with contextlib.suppress(GatewayError):
                submission.before = self._read_before(submission).status

    def _read_before(self, submission: Submission) -> Verification:
        errand = submission.errand
        seconds = min(READ_BEFORE, errand.left - 2 * FLOOR)
        return self._read(
            submission.customer_id, Errand.within(seconds, errand.caller, urgent=True)
        )

    def _conclude(
        self,
        submission: Submission,
        backend: str,
        before: Status | None,
        pauses: tuple[float, ...],
    ) -> Verification | None:
        """The outcome of a try, read after each pause; None if no state proves it."""
        errand = submission.errand
        for pause in pauses if before is not None else ():
            if errand.left - pause < FLOOR:
                break
            time.sleep(pause)
            try:
                seen = self._read(submission.customer_id, errand)
            except GatewayError:
                continue
            if proves(backend, submission.kind, before, seen.status):
                return _settled(submission, backend, seen)
        return None


def _settled(submission: Submission, backend: str, seen: Verification) -> Verification:
    return replace(seen, kind=submission.kind, backend=backend, reconciled=True)
