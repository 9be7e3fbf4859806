"""Huawei's quota as Huawei counts it: one gateway, and two on one Valkey, under load."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask

from tests.huawei.pacing.test_quota import most_within
from tests.support.fixtures import Build
from tests.support.patience import read, said, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.valkey import Valkey

QUOTA = 10  # calls a second
LOAD = 4.0  # seconds
ACCOUNT: dict[str, Any] = {"quota": {"requests_per_second": QUOTA}}


def load(apps: list[Flask], seconds: float = LOAD, readers: int = 12) -> list[str]:
    """Read different customers at all gateways for that many seconds. Returns the statuses."""
    over = threading.Event()

    def ask(place: int) -> list[str]:
        answers: list[str] = []
        while not over.is_set():
            customer = f"c-{place}-{len(answers)}"
            answers.append(said(read(apps[place % len(apps)], customer))[1])
        return answers

    timer = threading.Timer(seconds, over.set)
    timer.start()
    with ThreadPoolExecutor(readers) as threads:
        return [one for found in threads.map(ask, range(readers)) for one in found]


# Gateways, sandbox and other tests share the cores, so a call arrives with a delay of up to this.
# test_quota.py tests on an advanced clock that no call is sent too early.
STRETCHED = 0.15  # seconds


def check(sandbox: SandboxDriver, limit: int, share: float) -> None:
    """Assert that no second has more calls than the limit, and that load uses most of it."""
    seen = sorted(one["at"] for one in sandbox.requests("result"))
    assert most_within(seen, 1 - STRETCHED) <= limit
    lasted = seen[-1] - seen[0]
    assert share * limit * lasted <= len(seen) <= limit * (lasted + STRETCHED) + 1


def test_one_gateway_uses_the_whole_quota_and_never_exceeds_it(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(**ACCOUNT)
    assert set(load([app])) == {"NOT_SUBMITTED"}
    check(sandbox, QUOTA, 0.7)  # a busy machine sends fewer


def test_two_gateways_on_one_state_share_the_quota(
    build: Build, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    both = [build(state={"url": valkey.url}, **ACCOUNT) for _ in range(2)]
    assert set(load(both)) == {"NOT_SUBMITTED"}
    check(sandbox, QUOTA, 0.7)


def test_two_gateways_that_lost_their_state_keep_to_half_of_the_quota_each(
    build: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    state = {"url": mortal.url, "replicas": 2}
    both = [build(state=state, **ACCOUNT) for _ in range(2)]
    mortal.kill()
    for app in both:
        assert read(app).status_code == 200  # each gateway notices the loss
    time.sleep(1.1)  # the second that was counted together is over
    sandbox.forget_requests()
    assert set(load(both, 3.0)) == {"NOT_SUBMITTED"}
    check(sandbox, QUOTA, 0.7)


def test_each_api_and_each_account_has_its_own_quota(build: Build, sandbox: SandboxDriver) -> None:
    app = build(quota={"requests_per_second": 0.1})
    assert submit(app).status_code == 201
    assert read(app).status_code == 200
    assert submit(app, account="second").status_code == 201
    refused = submit(app, "another", wait=1)
    assert said(refused) == (503, "OVERLOADED", False)
    assert refused.get_json()["retry"] == "AFTER_DELAY"
    assert int(refused.headers["Retry-After"]) >= 1
    assert len(sandbox.requests("verified-info")) == 2


def test_the_read_after_a_lost_write_goes_before_polls(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(quota={"requests_per_second": 5}, verification={"backend": "review"})
    sandbox.fault("individual", "reset", count=1)
    over = threading.Event()

    def poll(place: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            read(app, f"poll-{place}-{number}")

    with ThreadPoolExecutor(15) as threads:  # three seconds' worth of polls always wait
        for place in range(15):
            threads.submit(poll, place)
        try:
            response = submit(app, wait=3)
        finally:
            over.set()
    assert said(response) == (202, "IN_REVIEW", True)
