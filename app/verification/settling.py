"""Settles submissions whose answer was lost, if the customer's state proves the outcome."""

from collections.abc import Callable
from dataclasses import replace

from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import Errand
from app.verification.backends import Backend, Draft
from app.verification.lost_answers import may_repeat, proves
from app.verification.model import Kind, Status, Verification
from app.writes import PAUSES, UNCLEAR, Attempt, EarlierTry, look

# After these failures the state cannot be read now. The caller may repeat the same request.
_NOT_NOW = frozenset(
    {
        ErrorCode.ACCESS_KEY_LOCKED,
        ErrorCode.CIRCUIT_OPEN,
        ErrorCode.CLOCK_SKEWED,
        ErrorCode.UPSTREAM_ACCESS_DENIED,
    }
)


class Settling:
    """Sends submissions so that no answer claims what Huawei did not say.

    Args:
        read: Reads a customer's verification.
    """

    def __init__(self, read: Callable[[str, Errand], Verification]) -> None:
        self._read = read

    def settle(self, attempt: Attempt, earlier: EarlierTry) -> Verification | None:
        """Settle the earlier try with the same key.

        Returns:
            The outcome of the earlier try, if the customer's state proves that Huawei processed
            it; otherwise None, and the submission must be sent.

        Raises:
            GatewayError: if the state cannot be read. Nothing may be sent then.
        """
        try:
            seen = self._read_before(attempt)
        except GatewayError as error:
            if error.code in _NOT_NOW:
                raise
            raise GatewayError(ErrorCode.OUTCOME_UNKNOWN) from None
        attempt.before = seen.status
        return _proven(attempt, earlier.sent_to, earlier.before, seen)

    def send(self, attempt: Attempt, backend: Backend, draft: Draft) -> Verification:
        """Send a submission. If the answer is lost, conclude the outcome from the state.

        Args:
            attempt: The try.
            backend: The backend that receives it.
            draft: The submission in the backend's words, without a broken rule.

        Raises:
            GatewayError: the failure of the call, if the state does not prove the outcome. Its
                `backend` is the backend's name.
        """
        self._read_state(attempt, backend.name)
        if attempt.doubtful and not may_repeat(backend.name, _status(attempt.before)):
            raise GatewayError(ErrorCode.OUTCOME_UNKNOWN)
        attempt.sending(backend.name)
        write, earlier = attempt.write, attempt.earlier
        try:
            result = backend.submit(Kind(write.kind), write.subject, draft, write.errand)
        except GatewayError as error:
            error.backend = backend.name
            found = None
            if error.code in UNCLEAR:
                found = self._conclude(attempt, backend.name, attempt.before, PAUSES)
            elif error.code is ErrorCode.ALREADY_VERIFIED_OR_IN_REVIEW and earlier is not None:
                # Huawei can refuse because of our own earlier try, which did not show before.
                found = self._conclude(attempt, earlier.sent_to, earlier.before, (0.0,))
            if found is None:
                raise
            return found
        if result.status is Status.REJECTED and not _proven(
            attempt, backend.name, attempt.before, result
        ):
            # This can be the rejection of an earlier submission: the new one may show late.
            return replace(result, status=Status.IN_REVIEW, reason=None)
        return result

    def _read_state(self, attempt: Attempt, backend: str) -> None:
        """Read the state before sending, if a lost answer could not be settled without it.

        Without an Idempotency-Key nobody can ask again for the outcome on the legacy backend. If
        the state cannot be read, the submission is sent all the same, unless the record of an
        earlier try may be lost. If Huawei refuses the read, it will refuse the submission.
        """
        asked_again = backend != "legacy" or attempt.write.key is not None
        if attempt.before is None and asked_again:
            try:
                attempt.before = self._read_before(attempt).status
            except GatewayError as error:
                if attempt.doubtful and not error.code.is_refusal:
                    if error.code in UNCLEAR:
                        raise GatewayError(ErrorCode.OUTCOME_UNKNOWN) from None
                    raise

    def _read_before(self, attempt: Attempt) -> Verification:
        write, needed = attempt.write, attempt.doubtful or attempt.earlier is not None
        return self._read(write.subject, write.errand.read_before(needed=needed))

    def _conclude(
        self, attempt: Attempt, backend: str, before: str | None, pauses: tuple[float, ...]
    ) -> Verification | None:
        """The outcome of a try, read after each pause; None if no state proves it."""
        write = attempt.write
        if before is None:
            return None
        return look(
            write.errand,
            lambda: _proven(attempt, backend, before, self._read(write.subject, write.errand)),
            pauses,
        )


def _proven(
    attempt: Attempt, backend: str, before: str | None, seen: Verification
) -> Verification | None:
    """The outcome of a try, if the state that was seen proves it."""
    kind = Kind(attempt.write.kind)
    if not proves(backend, kind, _status(before), seen.status):
        return None
    return replace(seen, kind=kind, backend=backend, reconciled=True)


def _status(before: str | None) -> Status | None:
    return None if before is None else Status(before)
