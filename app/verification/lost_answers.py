"""The states of a customer that prove a submission whose answer was lost.

This is the only place that decides it; docs/decisions/0014 has the table and the reasons. A state
proves a submission only if the state could not have been there before it, and if only that
submission can have caused it. Without a proof the outcome is unknown.
"""

from collections.abc import Mapping

from app.verification.model import Kind, Status

# What a call of verified-info, or the application that it replaced, may have left behind.
_MAY_BE_AN_EFFECT = frozenset({Status.IN_REVIEW, Status.VERIFIED})

Proofs = Mapping[Status, frozenset[Status]]

# By Huawei's API: the state before a submission -> the states after it that prove it was processed.
# Huawei refuses a first application of a customer that is verified or in review, so a first
# application never causes a state after these.
_FIRST: Proofs = {
    Status.NOT_SUBMITTED: frozenset({Status.IN_REVIEW, Status.VERIFIED, Status.REJECTED}),
    Status.REJECTED: frozenset({Status.IN_REVIEW, Status.VERIFIED}),
}
# A verified person applies as a company: VERIFIED after it can still be the person's.
_CHANGE: Proofs = {**_FIRST, Status.VERIFIED: frozenset({Status.IN_REVIEW, Status.REJECTED})}
# The legacy call verifies at once, without a review.
_LEGACY: Proofs = {
    Status.NOT_SUBMITTED: frozenset({Status.VERIFIED}),
    Status.REJECTED: frozenset({Status.VERIFIED}),
}


def proves(backend: str, kind: Kind, before: Status | None, after: Status) -> bool:
    """Whether the state after a submission proves that Huawei processed it.

    Args:
        backend: The backend that received the submission.
        kind: The kind of verification.
        before: The state that was read before it was sent, with no other write for the customer
            since. None if that state is not known: then no state proves anything.
        after: The present state.
    """
    if before is None:
        return False
    if backend == "legacy":
        table = _LEGACY
    else:
        table = _CHANGE if kind is Kind.ENTERPRISE_CHANGE else _FIRST
    return after in table.get(before, ())


def may_repeat(backend: str, before: Status | None) -> bool:
    """Whether a submission may be sent though Huawei may have processed it already.

    The review backend refuses a second application, and its answer is the answer. A second call of
    verified-info would be processed: it is not sent if the customer's state may be the effect of
    the first call.

    Args:
        backend: The backend that the submission would be sent to.
        before: The state that is read now; None if Huawei refused the read.
    """
    return backend != "legacy" or before not in _MAY_BE_AN_EFFECT
