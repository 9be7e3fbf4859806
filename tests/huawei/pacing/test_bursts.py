"""No burst reaches Huawei: requests take their turn in the quota last, after every other wait."""

from __future__ import annotations

from tests.huawei.pacing.test_quota import most_within
from tests.support.fixtures import Build
from tests.support.patience import read, said
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import together

QUOTA = 10  # calls a second


def test_requests_that_waited_for_the_proof_of_the_key_pair_do_not_leave_together(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(quota={"requests_per_second": QUOTA}, timeouts={"read": 10.0})
    sandbox.fault("result", "latency", seconds=1.5, count=1)  # the request that proves the pair
    answers = together(15, lambda place: said(read(app, f"c-{place}"))[1])
    assert set(answers) == {"NOT_SUBMITTED"}
    times = sorted(one["at"] for one in sandbox.requests("result"))
    assert most_within(times, 0.5) <= QUOTA / 2 + 1
