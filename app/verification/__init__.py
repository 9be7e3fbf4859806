"""One contract above two generations of Huawei's API, and the choice between them."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from app.errors import ErrorCode, Fault, GatewayError, Retry
from app.huawei.credentials.signing import utc_now
from app.huawei.pacing.deadline import FLOOR, Errand
from app.huawei.pacing.single_flight import SingleFlight
from app.huawei.partner_center import PartnerCenter
from app.observability import metrics
from app.settings import AccountSettings
from app.verification.backends.backend import Backend, Draft, refusal
from app.verification.backends.legacy import LegacyBackend
from app.verification.backends.review import ReviewBackend
from app.verification.choice import Choice
from app.verification.idempotency import Attempt, Write, Writes
from app.verification.migration import Migration
from app.verification.model import Kind, Verification
from app.verification.submit import Submission, Submitting
from app.verification.switch_off import SwitchOff

# Nothing was begun: another write is under way.
_UNDER_WAY = frozenset({ErrorCode.CUSTOMER_WRITE_IN_PROGRESS, ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT})
POLL_INTERVAL = 2.0  # seconds between two looks at a result that somebody waits for
LAST_LOOK = 3.0  # seconds that the last one of them has


class Verifications:
    """The verifications of one account's customers.

    Args:
        name: The account's name in the configuration.
        account: The account's settings.
        partner_center: Partner Center as the account sees it.
        writes: Sees to it that nothing is written twice.
        switch_off: The belief that Huawei has switched the legacy API off.
        migration: Counts what the review backend would have taken.
        draining: Is set when the gateway is about to end.
        now: The clock.
    """

    def __init__(
        self,
        name: str,
        account: AccountSettings,
        partner_center: PartnerCenter,
        writes: Writes,
        switch_off: SwitchOff,
        migration: Migration,
        draining: threading.Event,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._name = name
        self._platform_id = account.platform_id
        self._writes = writes
        self._migration = migration
        self._draining = draining
        self.legacy = LegacyBackend(partner_center, account.verification.legacy_numbers, now)
        self.review = ReviewBackend(partner_center, now)
        self.choice = Choice(account, self.legacy, self.review, switch_off)
        self._reads = SingleFlight()
        self._submitting = Submitting(self.review.read)

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
            GatewayError: naming the fields if no backend takes it (nothing is sent then), or
                whatever the call upstream ended in.
        """
        drafts = self._drafts(kind, customer_id, submission)
        backend, draft = self.choice.choose(customer_id, drafts)
        served = backend.name
        obstacles = drafts[self.review.name].errors
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
        settled = self._submitting.begin(submission, backend.name)
        if settled is not None:
            return settled
        backend = self.choice.to_send(backend, drafts)
        self._submitting.begin(submission, backend.name)
        try:
            verification = self._send(submission, backend, drafts[backend.name])
        except GatewayError as error:
            if error.code is not ErrorCode.LEGACY_API_RETIRED:
                raise
            backend = self.choice.move_on(submission.customer_id, drafts, error)
        else:
            self.choice.served(backend)
            return verification
        self._submitting.begin(submission, backend.name)
        return self._send(submission, backend, drafts[backend.name])

    def _send(self, submission: Submission, backend: Backend, draft: Draft) -> Verification:
        def send() -> Verification:
            return backend.submit(submission.kind, submission.customer_id, draft, submission.errand)

        try:
            return self._submitting.send(submission, backend.name, send)
        except GatewayError as error:
            error.backend = backend.name
            raise

    def check(self, kind: Kind, customer_id: str, submission: Mapping[str, Any]) -> dict[str, Any]:
        """Which backends would take a submission, and which one would get it. Sends nothing."""
        drafts = self._drafts(kind, customer_id, submission)
        backend, chosen = self.choice.foretell(customer_id, drafts)
        return {
            "customer_id": customer_id,
            "kind": kind,
            "taken": not chosen.errors and self.choice.serves(backend.name),
            "backend": backend.name,
            "backends": [
                {
                    "backend": name,
                    "takes": not draft.errors and self.choice.serves(name),
                    "errors": draft.errors,
                }
                for name, draft in drafts.items()
            ],
        }

    def read(self, customer_id: str, errand: Errand, wait: float = 0) -> Verification:
        """Where a customer's verification stands; identical reads share one upstream call.

        What is known already is the answer when the time is over or the gateway drains.

        Args:
            customer_id: The customer.
            errand: For whom, and until when.
            wait: Seconds to wait for the end of a review.

        Raises:
            GatewayError: whatever the call upstream ended in.
        """
        ends = time.monotonic() + wait
        result = self._read_once(customer_id, errand)
        while not result.final:
            left = min(ends - time.monotonic(), errand.left - LAST_LOOK)
            if left <= 0:
                break
            time.sleep(min(POLL_INTERVAL, left))
            if self._draining.is_set():
                break
            try:
                result = self._read_once(customer_id, errand)
            except GatewayError:
                if errand.left >= FLOOR:
                    raise
        return result

    def _read_once(self, customer_id: str, errand: Errand) -> Verification:
        try:
            return self._reads.do(
                customer_id, lambda: self.review.read(customer_id, errand), max(0.0, errand.left)
            )
        except TimeoutError:
            raise GatewayError(ErrorCode.DEADLINE_EXCEEDED, write=False) from None

    def _drafts(
        self, kind: Kind, customer_id: str, submission: Mapping[str, Any]
    ) -> dict[str, Draft]:
        ours = {**submission, "customer_id": customer_id, "platform_id": self._platform_id}
        return {backend.name: backend.draft(kind, ours) for backend in (self.legacy, self.review)}
