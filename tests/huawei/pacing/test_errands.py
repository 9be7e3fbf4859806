"""The time of one request, and the part of it that the read before a write may take."""

from __future__ import annotations

import pytest

from app.huawei.pacing.deadline import Errand


@pytest.mark.parametrize(
    ("seconds", "needed", "expected"),
    [
        (20, False, 3.0),  # the write may be sent without the read
        (20, True, 10.0),  # half of the time may pass
        (5, True, 3.0),
        (2, False, 1.0),  # time to send the write is left
        (2, True, 1.0),
    ],
)
def test_the_read_before_a_write_leaves_time_to_send_it(
    seconds: float, needed: bool, expected: float
) -> None:
    errand = Errand.within(seconds, "caller").read_before(needed=needed)
    assert errand.left == pytest.approx(expected, abs=0.1)
    assert (errand.caller, errand.urgent, errand.watches) == ("caller", True, False)
