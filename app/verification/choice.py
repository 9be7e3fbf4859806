"""Chooses the backend of a submission by the account's settings and by what Huawei still serves."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from app.errors import ErrorCode, GatewayError, Upstream
from app.settings import VerificationSettings
from app.verification.backends import Backend, Draft
from app.verification.switch_off import Stage, SwitchOff

RETRY_AFTER = 60.0  # seconds; a probe has its answer by then

Drafts = Mapping[str, Draft]


class Choice:
    """Chooses between the two backends of one account.

    Only `backend: auto` has a choice: with `legacy` or `review` the belief about the switch-off
    is neither read nor written. `both` holds the two backends, whether they serve the account or
    not.

    Args:
        settings: The account's settings for verifications.
        legacy: The legacy backend.
        review: The review backend.
        switch_off: The belief that the legacy API is switched off.
    """

    def __init__(
        self,
        settings: VerificationSettings,
        legacy: Backend,
        review: Backend,
        switch_off: SwitchOff,
    ) -> None:
        self._auto = settings.backend == "auto"
        self._only: Backend = legacy if settings.backend == "legacy" else review
        self._review_share = settings.review_share
        self._legacy = legacy
        self._review = review
        self._switch_off = switch_off
        self.both = (legacy, review)

    @property
    def retired_since(self) -> datetime | None:
        """The time of the first answer that said so; None while no switch-off is believed."""
        return self._switch_off.believed_since if self._auto else None

    @property
    def backends(self) -> tuple[Backend, ...]:
        """The backends that serve this account now, the preferred backend first."""
        if not self._auto:
            return (self._only,)
        if self._is_off():
            return (self._review,)
        return self._order(self._review_share >= 50)

    def choose(self, customer_id: str, drafts: Drafts) -> tuple[Backend, Draft]:
        """The preferred backend that accepts the submission, or the one whose errors to report."""
        order: tuple[Backend, ...] = (self._only,)
        if self._auto:
            order = self._order(_in_share(customer_id, self._review_share))
        for backend in order:
            if not drafts[backend.name].errors:
                return backend, drafts[backend.name]
        if self._is_off():
            order = self._order(True)
        # Prefer reporting a fixable field over an unsupported document type.
        backend = min(order, key=lambda one: drafts[one.name].unsupported)
        return backend, drafts[backend.name]

    def foretell(self, customer_id: str, drafts: Drafts) -> tuple[Backend, Draft]:
        """The backend that would receive the submission now, or the one whose errors to report."""
        backend, draft = self.choose(customer_id, drafts)
        if not draft.errors and not self.serves(backend.name):
            return self._review, drafts[self._review.name]
        return backend, draft

    def serves(self, backend: str) -> bool:
        """Whether Huawei serves this backend, as far as the gateway knows."""
        return backend != self._legacy.name or not self._is_off()

    def to_send(self, backend: Backend, drafts: Drafts) -> Backend:
        """The backend to send to now: review if the legacy API is believed to be switched off.

        One submission in each probe interval is the probe, which the legacy backend receives.

        Raises:
            GatewayError: LEGACY_API_RETIRED or LEGACY_API_UNAVAILABLE if review does not accept
                the submission.
        """
        if not self._auto or backend is not self._legacy:
            return backend
        stage = self._switch_off.stage
        if stage < Stage.BELIEVED or self._switch_off.acquire_probe():
            return backend
        return self._review_instead(drafts, stage, None)

    def served(self, backend: Backend) -> None:
        """Record that a backend accepted a submission."""
        if self._auto and backend is self._legacy:
            self._switch_off.served()

    def move_on(self, customer_id: str, drafts: Drafts, error: GatewayError) -> Backend:
        """The next backend after Huawei said that the legacy API is switched off.

        Huawei processed nothing, so the submission may be sent again.

        Raises:
            GatewayError: `error` itself if the account has no other backend; LEGACY_API_RETIRED or
                LEGACY_API_UNAVAILABLE if review does not accept the submission.
        """
        if not self._auto:
            raise error
        return self._review_instead(drafts, self._switch_off.refused(customer_id), error.upstream)

    def _review_instead(self, drafts: Drafts, stage: Stage, upstream: Upstream | None) -> Backend:
        if not drafts[self._review.name].errors:
            return self._review
        # The caller made no mistake: the legacy backend accepts the submission.
        proven = stage is Stage.PROVEN
        raise GatewayError(
            ErrorCode.LEGACY_API_RETIRED if proven else ErrorCode.LEGACY_API_UNAVAILABLE,
            upstream=upstream,
            retry_after=None if proven else RETRY_AFTER,
        )

    def _is_off(self) -> bool:
        return self._auto and self._switch_off.stage >= Stage.BELIEVED

    def _order(self, review_first: bool) -> tuple[Backend, ...]:
        return (self._review, self._legacy) if review_first else (self._legacy, self._review)


def _in_share(customer_id: str, percentage: int) -> bool:
    """Whether a customer is in the given percentage of customers. The result never changes."""
    return int.from_bytes(sha256(customer_id.encode()).digest()[:8]) % 100 < percentage
