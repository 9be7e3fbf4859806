"""Looks for the effect of a write whose answer was lost."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import FLOOR, Errand

T = TypeVar("T")

# After these failures it is unknown whether Huawei processed the write.
UNCLEAR = frozenset(
    {ErrorCode.OUTCOME_UNKNOWN, ErrorCode.UPSTREAM_ERROR, ErrorCode.UPSTREAM_MALFORMED}
)
# Seconds before each look: an effect may show late.
PAUSES = (0.2, 0.8, 2.0)


def look(
    errand: Errand, find: Callable[[], T | None], pauses: Sequence[float] = PAUSES
) -> T | None:
    """The first result of `find`, which is called after each pause; None without a result.

    Args:
        errand: The deadline.
        find: Reads at Huawei. A look that fails finds nothing.
        pauses: The seconds before each look.
    """
    for pause in pauses:
        if errand.left - pause < FLOOR:
            break
        time.sleep(pause)
        try:
            found = find()
        except GatewayError:
            continue
        if found is not None:
            return found
    return None
