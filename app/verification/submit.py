"""Submits a customer's verification to the backend that serves it, once for each key."""

from collections.abc import Mapping
from typing import Any

from app.errors import ErrorCode, Fault, GatewayError, Retry
from app.huawei.pacing.deadline import Errand
from app.observability import metrics
from app.verification.backends import Backend, Draft, refusal
from app.verification.choice import Choice
from app.verification.idempotency import Attempt, Write, Writes
from app.verification.migration import Migration
from app.verification.model import Kind, Verification
from app.verification.settling import Settling, Submission

REVIEW = "review"
# Nothing was begun: another write is under way.
_UNDER_WAY = frozenset({ErrorCode.CUSTOMER_WRITE_IN_PROGRESS, ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT})


class Submissions:
    """The submissions of one account.

    Args:
        name: The account's name in the configuration.
        platform_id: The partner's platform id.
        choice: Chooses the backend.
        writes: Sends each write once, and one at a time for a customer.
        settling: Settles lost answers.
        migration: Counts what the review backend would accept.
    """

    def __init__(
        self,
        name: str,
        platform_id: str,
        choice: Choice,
        writes: Writes,
        settling: Settling,
        migration: Migration,
    ) -> None:
        self._name = name
        self._platform_id = platform_id
        self._choice = choice
        self._writes = writes
        self._settling = settling
        self._migration = migration

    def submit(
        self,
        kind: Kind,
        customer_id: str,
        submission: Mapping[str, Any],
        errand: Errand,
        key: str | None = None,
    ) -> tuple[Verification, bool]:
        """Submit a customer's verification, in the words of the contract.

        Args:
            kind: What is submitted.
            customer_id: For whom.
            submission: The body.
            errand: For whom, and until when.
            key: The Idempotency-Key, if there is one.

        Returns:
            The verification, and whether it is the replay of an earlier answer.

        Raises:
            GatewayError: naming the fields if no backend accepts it (nothing is sent then), or
                the failure of the call.
        """
        drafts = self._drafts(kind, customer_id, submission)
        backend, draft = self._choice.choose(customer_id, drafts)
        served = backend.name
        obstacles = drafts[REVIEW].errors
        if draft.errors:
            self._migration.count(errand.caller, served, obstacles)
            raise refusal(draft.errors)
        write = Write(
            caller=errand.caller,
            kind=kind,
            customer_id=customer_id,
            body=submission,
            key=key,
            seconds=max(0.0, errand.left),
        )

        def work(attempt: Attempt) -> Verification:
            return self._work(Submission(kind, customer_id, errand, attempt), backend, drafts)

        try:
            verification, replayed = self._writes.run(write, work)
            served = verification.backend
        except GatewayError as error:
            error.backend = served = error.backend or served
            if error.code.write_retry is Retry.SAME_KEY and error.code.fault is not Fault.CALLER:
                metrics.OUTCOMES.labels(self._name, served, "UNKNOWN").inc()
            if error.code not in _UNDER_WAY:
                self._migration.count(errand.caller, served, obstacles)
            raise
        if not replayed:
            self._migration.count(errand.caller, served, obstacles)
            metrics.OUTCOMES.labels(self._name, served, verification.status).inc()
        return verification, replayed

    def _work(
        self, submission: Submission, backend: Backend, drafts: Mapping[str, Draft]
    ) -> Verification:
        settled = self._settling.settle(submission)
        if settled is not None:
            return settled
        backend = self._choice.to_send(backend, drafts)
        try:
            verification = self._send(submission, backend, drafts[backend.name])
        except GatewayError as error:
            if error.code is not ErrorCode.LEGACY_API_RETIRED:
                raise
            backend = self._choice.move_on(submission.customer_id, drafts, error)
        else:
            self._choice.served(backend)
            return verification
        return self._send(submission, backend, drafts[backend.name])

    def _send(self, submission: Submission, backend: Backend, draft: Draft) -> Verification:
        def send() -> Verification:
            return backend.submit(submission.kind, submission.customer_id, draft, submission.errand)

        try:
            return self._settling.send(submission, backend.name, send)
        except GatewayError as error:
            error.backend = backend.name
            raise

    def check(self, kind: Kind, customer_id: str, submission: Mapping[str, Any]) -> dict[str, Any]:
        """Tell which backends would accept a submission, and which one it would go to.

        Nothing is sent.
        """
        drafts = self._drafts(kind, customer_id, submission)
        backend, chosen = self._choice.foretell(customer_id, drafts)
        return {
            "customer_id": customer_id,
            "kind": kind,
            "taken": not chosen.errors and self._choice.serves(backend.name),
            "backend": backend.name,
            "backends": [
                {
                    "backend": name,
                    "takes": not draft.errors and self._choice.serves(name),
                    "errors": draft.errors,
                }
                for name, draft in drafts.items()
            ],
        }

    def _drafts(
        self, kind: Kind, customer_id: str, submission: Mapping[str, Any]
    ) -> dict[str, Draft]:
        ours = {**submission, "customer_id": customer_id, "platform_id": self._platform_id}
        return {backend.name: backend.draft(kind, ours) for backend in self._choice.both}
