"""Settles submissions whose answer was lost, by what the customer's state proves."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import FLOOR, Errand
from app.verification.idempotency import Attempt
from app.verification.lost_answers import proves
from app.verification.model import Kind, Status, Verification

LOOK = 3.0  # seconds that the look before a submission may take
# Seconds before each look after a lost answer: what was just submitted may not show at once.
SETTLE = (0.2, 0.8, 2.0)

# After these it is not known whether Huawei processed the submission.
_UNCLEAR = frozenset(
    {ErrorCode.OUTCOME_UNKNOWN, ErrorCode.UPSTREAM_ERROR, ErrorCode.UPSTREAM_MALFORMED}
)
# The look after an earlier try could not be sent now: the same request may be repeated.
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
    """A submission on its way.

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

    def begin(self, submission: Submission, backend: str) -> Verification | None:
        """Read the customer's state before anything is sent.

        It is read where an answer that is lost could not be settled otherwise: on the review
        backend, and on the legacy one where a repeat can ask for the outcome.

        Returns:
            The outcome of an earlier try, if the state proves that Huawei processed it.

        Raises:
            GatewayError: if there was an earlier try, and the state cannot be read: nothing may
                be sent then.
        """
        earlier = submission.attempt.earlier
        needless = backend == "legacy" and earlier is None and not submission.attempt.keyed
        if needless or submission.before is not None:
            return None
        errand = submission.errand
        try:
            seen = self._read(
                submission.customer_id,
                Errand.within(min(LOOK, errand.left - 2 * FLOOR), errand.caller, urgent=True),
            )
        except GatewayError as error:
            if earlier is None:
                return None  # a first try goes on; its answer cannot be settled if it is lost
            if error.code in _NOT_NOW:
                raise
            raise GatewayError(ErrorCode.OUTCOME_UNKNOWN, write=True) from None
        submission.before = seen.status
        if earlier is not None and proves(
            earlier.backend, submission.kind, earlier.before, seen.status
        ):
            return _settled(submission, earlier.backend, seen)
        return None

    def send(
        self, submission: Submission, backend: str, send: Callable[[], Verification]
    ) -> Verification:
        """Send a submission; look for its outcome if the answer is lost.

        Args:
            submission: The submission, after `begin`.
            backend: The backend that it is sent to.
            send: Sends it.

        Raises:
            GatewayError: what sending ended in; OUTCOME_UNKNOWN and the like where the state
                does not prove the outcome.
        """
        submission.attempt.sending(backend, submission.before)
        earlier = submission.attempt.earlier
        try:
            result = send()
        except GatewayError as error:
            found = None
            if error.code in _UNCLEAR:
                found = self._look(submission, backend, submission.before, SETTLE)
            elif error.code is ErrorCode.ALREADY_VERIFIED_OR_IN_REVIEW and earlier is not None:
                # The refusal can answer our own earlier try, which did not show before.
                found = self._look(submission, earlier.backend, earlier.before, (0.0,))
            if found is None:
                raise
            return found
        if result.status is Status.REJECTED and not proves(
            backend, submission.kind, submission.before, result.status
        ):
            # It can be the rejection of an earlier submission: this one may not show yet.
            return replace(result, status=Status.IN_REVIEW, reason=None)
        return result

    def _look(
        self,
        submission: Submission,
        backend: str,
        before: Status | None,
        pauses: tuple[float, ...],
    ) -> Verification | None:
        """The outcome of a try, read after each of the pauses; None if no state proves it."""
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
