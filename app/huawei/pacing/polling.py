"""Reads again and again for a caller that waits for a change."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from app.errors import GatewayError
from app.huawei.pacing.deadline import FLOOR, READ, Errand

T = TypeVar("T")

INTERVAL = 2.0  # seconds between two reads
LAST_READ = 3.0  # seconds for the last read, if the wait is as long as the errand
GRACE = 0.8  # seconds after the wait in which its last read has to end


def poll(
    read: Callable[[Errand], T],
    pending: Callable[[T, T], bool],
    errand: Errand,
    wait: float,
    draining: threading.Event,
) -> T:
    """Read until an answer is not pending or the wait ends, and return the last answer.

    The wait is exceeded by at most GRACE, unless the first read takes longer.

    Args:
        read: Reads once.
        pending: Whether to read again, by the first answer and the last one.
        errand: The caller and the deadline.
        wait: Seconds to wait; 0 reads once.
        draining: Is set when the process begins to shut down; this ends the wait.

    Raises:
        GatewayError: the failure of a read.
    """
    begun = time.monotonic()
    ends = begun + wait
    repeated = replace(errand, ends=min(errand.ends, ends + GRACE))
    longer = replace(repeated, ends=max(repeated.ends, min(errand.ends, begun + READ)))
    found = first = read(longer if wait else errand)
    while pending(first, found):
        left = min(ends - time.monotonic(), errand.left - LAST_READ)
        if left <= 0:
            break
        time.sleep(min(INTERVAL, left))
        if draining.is_set():
            break
        try:
            found = read(repeated)
        except GatewayError:
            if repeated.left >= FLOOR:
                raise
    return found
