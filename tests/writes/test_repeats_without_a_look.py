"""A repeat after a lost answer whose look is refused for our own credential tells that cause."""

from __future__ import annotations

import pytest

from tests.support.fixtures import Build
from tests.support.patience import ONCE, said, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.writes.unknown_outcomes import lose

TEXTS = {  # Huawei's texts under APIGW.0301
    "UPSTREAM_ACCESS_DENIED": "Incorrect IAM authentication information: verify aksk signature "
    "fail",
    "CLOCK_SKEWED": "Incorrect IAM authentication information: signature expired",
    "ACCESS_KEY_LOCKED": "Incorrect IAM authentication information: AK access failed to reach "
    "the limit, forbidden",
}


@pytest.mark.parametrize("cause", TEXTS)
def test_a_repeat_tells_why_it_cannot_look_and_sends_nothing(
    build: Build, sandbox: SandboxDriver, cause: str
) -> None:
    app = build(**ONCE)
    lose(app, sandbox)
    body = {"error_code": "APIGW.0301", "error_msg": TEXTS[cause]}
    sandbox.fault("result", "status", status=401, body=body, count=1)
    assert said(submit(app, idempotency="key-1")) == (503, cause, False)
    assert len(sandbox.requests("verified-info")) == 1
