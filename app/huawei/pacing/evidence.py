"""What an exchange says of Huawei as a whole, and not of one customer or of ourselves."""

from enum import Enum

from app.errors import ErrorCode, GatewayError
from app.huawei.answer import Answer
from app.huawei.codes import OTHER
from app.huawei.pacing.deadline import Errand

# An answer that was waited for so long is missing; ended sooner by our own deadline, it may have
# been on its way.
PATIENCE = 5.0  # seconds

_LOST = frozenset(
    {ErrorCode.UPSTREAM_UNREACHABLE, ErrorCode.UPSTREAM_ERROR, ErrorCode.OUTCOME_UNKNOWN}
)


class Evidence(Enum):
    """What the transport saw."""

    ANSWERED = "answered"  # a proper answer, which may refuse one customer's request
    FAILED = "failed"  # no answer, or one that is none
    DOUBTFUL = "doubtful"  # a failure if several customers meet it; else it is this one's own


def of_answer(answer: Answer) -> Evidence:
    """The evidence of an answer.

    Without a code of Huawei's, 2xx and 5xx are no proper answers; another status with nothing
    readable may be a firewall that dislikes one customer's request. CBC.0999 and the gateway's
    own faults can be met by one customer alone.
    """
    failure, code = answer.failure, answer.upstream.code
    if failure is None:
        return Evidence.ANSWERED
    if code is None or code == OTHER:
        status = answer.upstream.status or 0
        if 200 <= status < 300 or status >= 500:
            return Evidence.FAILED
        doubtful = failure.code is ErrorCode.UPSTREAM_MALFORMED
    else:
        # The other CBC codes of this meaning are faults of the customer's bank.
        own = code == "CBC.0999" or not code.startswith("CBC.")
        doubtful = own and failure.code is ErrorCode.UPSTREAM_ERROR
    return Evidence.DOUBTFUL if doubtful else Evidence.ANSWERED


def of_failure(failure: GatewayError, errand: Errand, waited: float) -> Evidence | None:
    """The evidence of an exchange without an answer; None if it is none.

    Args:
        failure: What the endpoint raised.
        errand: Whose time it had.
        waited: Seconds that the answer was waited for.
    """
    if failure.code not in _LOST or (errand.left <= 0 and waited < PATIENCE):
        return None
    return Evidence.FAILED
