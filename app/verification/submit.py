"""Submits a customer's verification to one of the two backends, once for each Idempotency-Key."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.errors import ErrorCode, Fault, GatewayError, Retry
from app.events.open_reviews import OpenReviews
from app.observability import metrics
from app.verification.backends import Backend, Draft, refusal
from app.verification.choice import Choice, Drafts
from app.verification.migration import Migration
from app.verification.model import Kind, Status, Verification
from app.verification.settling import Settling
from app.writes import Attempt, Kept, Write, Writes

REVIEW = "review"
VERIFICATION = "verification"  # its kind is remembered for reads
# Another write is under way, so this one did not begin.
_UNDER_WAY = frozenset({ErrorCode.CUSTOMER_WRITE_IN_PROGRESS, ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT})


def _keep(verification: Verification) -> Mapping[str, Any]:
    return {
        "status": verification.status,
        "backend": verification.backend,
        "checked_at": verification.checked_at.timestamp(),
        "submitted_at": verification.submitted_at and verification.submitted_at.timestamp(),
        "reconciled": verification.reconciled,
    }


def _replay(write: Write, kept: Mapping[str, Any]) -> Verification:
    return Verification(
        customer_id=write.subject,
        kind=Kind(write.kind),
        status=Status(kept["status"]),
        backend=kept["backend"],
        checked_at=datetime.fromtimestamp(kept["checked_at"], UTC),
        submitted_at=_time(kept["submitted_at"]),
        reconciled=kept["reconciled"],
    )


def _time(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


_KEPT = Kept(_keep, _replay, VERIFICATION)


class Submissions:
    """The submissions of one account.

    Args:
        name: The account's name in the configuration.
        platform_id: The partner's platform id.
        choice: Chooses the backend.
        writes: Runs each write once, and one at a time for a customer.
        settling: Sends submissions and settles lost answers.
        migration: Counts the submissions that the review backend would accept.
        reviews: Records the submissions that are in review.
    """

    def __init__(
        self,
        name: str,
        platform_id: str,
        choice: Choice,
        writes: Writes,
        settling: Settling,
        migration: Migration,
        reviews: OpenReviews,
    ) -> None:
        self._name = name
        self._platform_id = platform_id
        self._choice = choice
        self._writes = writes
        self._settling = settling
        self._migration = migration
        self._reviews = reviews

    def submit(self, write: Write) -> tuple[Verification, bool]:
        """Submit a customer's verification.

        Returns:
            The verification, and whether it is the answer to an earlier request.

        Raises:
            GatewayError: the broken rules if no backend accepts the submission (nothing is sent
                then), or the failure of the call.
        """
        drafts = self._drafts(Kind(write.kind), write.subject, write.body)
        backend, draft = self._choice.choose(write.subject, drafts)
        caller, served, obstacles = write.errand.caller, backend.name, drafts[REVIEW].errors
        if draft.errors:
            self._migration.count(caller, served, obstacles)
            raise refusal(draft.errors)
        try:
            verification, replayed = self._writes.run(
                write, lambda attempt: self._submitted(attempt, backend, drafts), _KEPT
            )
        except GatewayError as error:
            error.backend = served = error.backend or served
            if error.code.write_retry is Retry.SAME_KEY and error.code.fault is not Fault.CALLER:
                metrics.OUTCOMES.labels(self._name, served, "UNKNOWN").inc()
            if error.code not in _UNDER_WAY:
                self._migration.count(caller, served, obstacles)
            raise
        if not replayed:
            self._migration.count(caller, verification.backend, obstacles)
            metrics.OUTCOMES.labels(self._name, verification.backend, verification.status).inc()
        return verification, replayed

    def _submitted(self, attempt: Attempt, backend: Backend, drafts: Drafts) -> Verification:
        result = self._send(attempt, backend, drafts)
        write = attempt.write
        if result.final:
            self._reviews.discard(write.subject)
        if result.status is Status.IN_REVIEW:
            # Before the answer is recorded: a repeat finds the answer only if the review is known.
            self._reviews.begin(write.subject, write.kind, write.errand.caller, attempt.before)
        return replace(result, submitted_at=_time(attempt.sent_at))

    def _send(self, attempt: Attempt, backend: Backend, drafts: Drafts) -> Verification:
        if attempt.earlier is not None:
            settled = self._settling.settle(attempt, attempt.earlier)
            if settled is not None:
                return settled
        backend = self._choice.to_send(backend, drafts)
        try:
            verification = self._settling.send(attempt, backend, drafts[backend.name])
        except GatewayError as error:
            if error.code is not ErrorCode.LEGACY_API_RETIRED:
                raise
            backend = self._choice.move_on(attempt.write.subject, drafts, error)
        else:
            self._choice.served(backend)
            return verification
        return self._settling.send(attempt, backend, drafts[backend.name])

    def check(self, kind: Kind, customer_id: str, submission: Mapping[str, Any]) -> dict[str, Any]:
        """The backends that would accept a submission, and the one that would receive it.

        Sends nothing.

        Args:
            kind: The kind of verification.
            customer_id: The customer.
            submission: The body, in the words of the contract.
        """
        drafts = self._drafts(kind, customer_id, submission)
        backend, chosen = self._choice.foretell(customer_id, drafts)
        return {
            "customer_id": customer_id,
            "kind": kind,
            "accepted": not chosen.errors and self._choice.serves(backend.name),
            "backend": backend.name,
            "backends": [
                {
                    "backend": name,
                    "accepted": not draft.errors and self._choice.serves(name),
                    "errors": draft.errors,
                }
                for name, draft in drafts.items()
            ],
        }

    def _drafts(
        self, kind: Kind, customer_id: str, submission: Mapping[str, Any]
    ) -> dict[str, Draft]:
        ours = {**submission, "customer_id": customer_id, "platform_id": self._platform_id}
        return {backend.name: backend.schemas[kind].draft(ours) for backend in self._choice.both}
