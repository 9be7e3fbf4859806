"""The evidence of an exchange: whether Huawei as a whole answers or fails.

Failures that concern one customer, or the gateway itself, are no evidence about Huawei.
"""

from enum import Enum

from app.errors import ErrorCode, GatewayError
from app.huawei.answer import Answer
from app.huawei.codes import OTHER
from app.huawei.pacing.deadline import Errand

# After so long an answer counts as missing. If our own deadline ends the wait sooner, the answer
# may still have been on its way.
PATIENCE = 5.0  # seconds

_LOST = frozenset(
    {ErrorCode.UPSTREAM_UNREACHABLE, ErrorCode.UPSTREAM_ERROR, ErrorCode.OUTCOME_UNKNOWN}
)


class Evidence(Enum):
    """The evidence of one exchange."""

    ANSWERED = "answered"  # a proper answer, which may refuse one customer's request
    FAILED = "failed"  # no answer, or an answer that is not Huawei's
    DOUBTFUL = "doubtful"  # a failure of Huawei if several customers get it, else of one customer


def of_answer(answer: Answer) -> Evidence:
    """The evidence of an answer.

    A failure under 2xx or 5xx without a code of Huawei's is FAILED. Another status with an
    unreadable body is DOUBTFUL: it may be a firewall that refuses one customer's request.
    CBC.0999 and the faults of Huawei's API gateway are DOUBTFUL: one customer alone can get them.
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
        # The other CBC codes that mean UPSTREAM_ERROR are faults of the customer's bank.
        of_huawei = code == "CBC.0999" or not code.startswith("CBC.")
        doubtful = of_huawei and failure.code is ErrorCode.UPSTREAM_ERROR
    return Evidence.DOUBTFUL if doubtful else Evidence.ANSWERED


def of_failure(failure: GatewayError, errand: Errand, waited: float) -> Evidence | None:
    """The evidence of an exchange without an answer; None if it is no evidence.

    Args:
        failure: The error that the endpoint raised.
        errand: The errand of the exchange.
        waited: Seconds from the start of the exchange to the failure.
    """
    if failure.code not in _LOST or (errand.left <= 0 and waited < PATIENCE):
        return None
    return Evidence.FAILED
