"""A probe of a new pair takes no more than the time of the request that found the pair."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.errors import ErrorCode, GatewayError
from app.huawei.credentials.key_pairs import CHECK_INTERVAL, KeyPairs
from app.huawei.pacing.deadline import Errand
from app.huawei.partner_center import PartnerCenter
from app.huawei.review_result import READ_RESULT
from app.settings import Settings
from app.state import MemoryState
from app.state.lock import LASTS
from tests.support.accounts import (
    NEW_PAIR,
    PAIR,
    SEALING,
    Mounted,
    gateway,
    partner_center,
    signers,
    used,
    with_pairs,
)
from tests.support.gateway import (
    ACCESS_KEY,
    INDIVIDUAL_PATH,
    PERSON,
    altered,
    bearer,
    submit,
)
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until

QUICK = 1.0  # seconds; far from the length of a probation


def ask(center: PartnerCenter, within: float) -> tuple[ErrorCode | None, float]:
    """Read a result. Returns the error code, if any, and the seconds that this took."""
    begun = time.monotonic()
    code = None
    try:
        center.call(
            READ_RESULT,
            errand=Errand.within(within, "tests"),
            customer="cust-1",
            query=[("customer_id", "cust-1")],
        )
    except GatewayError as error:
        code = error.code
    return code, time.monotonic() - begun


@pytest.fixture
def probed_elsewhere(settings: Settings, sandbox: SandboxDriver, mounted: Mounted) -> PartnerCenter:
    """A proven pair whose files hold a new pair now. Another replica probes the new pair."""
    sandbox.access_keys(**{ak: {"secret_key": sk} for ak, sk in (PAIR, NEW_PAIR)})
    state = MemoryState()
    found = with_pairs(settings, mounted)
    passed = [0.0]  # seconds added to the real clock
    files = found.accounts["default"].credentials
    pairs = KeyPairs(
        "default", files, state, SEALING, monotonic=lambda: time.monotonic() + passed[0]
    )
    center = partner_center(found, pairs)
    assert ask(center, 10)[0] is None
    new = SEALING.fingerprint(*NEW_PAIR, "")
    assert state.add(f"pair:{new}:probation", b"1", LASTS)
    sandbox.forget_requests()
    mounted.write(*NEW_PAIR)
    passed[0] = CHECK_INTERVAL
    return center


def test_a_request_does_not_wait_for_the_probe_of_another_replica_while_its_pair_is_good(
    probed_elsewhere: PartnerCenter, sandbox: SandboxDriver
) -> None:
    code, seconds = ask(probed_elsewhere, 20)
    assert code is None
    assert seconds < QUICK
    assert used(sandbox) == [ACCESS_KEY]


def test_a_slow_probe_of_a_new_pair_leaves_time_for_the_request_that_sends_it(
    settings: Settings, sandbox: SandboxDriver, mounted: Mounted
) -> None:
    found = altered(with_pairs(settings, mounted), verification={"backend": "legacy"})
    client = gateway(found)
    assert submit(client).status_code == 201
    mounted.write(*NEW_PAIR)
    sandbox.fault("result", "hang")  # the probe is a read of a result
    wait_until(lambda: probed(client, sandbox))
    assert used(sandbox)[-1] == ACCESS_KEY


def probed(client: FlaskClient, sandbox: SandboxDriver) -> bool:
    """Submit with little time. Returns whether the request sent a probe."""
    body, headers = PERSON, bearer() | {"Prefer": "wait=2"}
    assert client.post(INDIVIDUAL_PATH, json=body, headers=headers).status_code == 201
    return NEW_PAIR[0] in [key for key, _ in signers(sandbox, probes=True)]


def test_a_refused_request_waits_for_the_probe_of_another_replica_until_its_deadline(
    probed_elsewhere: PartnerCenter, sandbox: SandboxDriver
) -> None:
    sandbox.access_keys(**{ACCESS_KEY: {"secret_key": "replaced"}})
    code, seconds = ask(probed_elsewhere, QUICK)
    assert code in (ErrorCode.UPSTREAM_ACCESS_DENIED, ErrorCode.DEADLINE_EXCEEDED)
    assert seconds < QUICK + 1


def test_readiness_does_not_wait_for_a_probe_that_hangs(
    settings: Settings, sandbox: SandboxDriver, mounted: Mounted, tmp_path: Path
) -> None:
    sandbox.access_keys(**{ak: {"secret_key": sk} for ak, sk in (PAIR, NEW_PAIR)})
    found = with_pairs(settings, mounted, Mounted(tmp_path / "not-mounted"))
    client = gateway(altered(found, verification={"backend": "legacy"}))
    assert submit(client).status_code == 201
    sandbox.fault("result", "hang")  # the probe of a new pair reads a result
    mounted.write(*NEW_PAIR)

    def probe() -> None:
        for number in count():
            if sandbox.received("result"):
                return
            assert submit(client, f"c-{number}").status_code == 201

    with ThreadPoolExecutor(1) as threads:
        probing = threads.submit(probe)
        wait_until(lambda: sandbox.received("result"))
        begun = time.monotonic()
        assert client.get("/readyz").status_code == 200
        accounts = client.get("/v1/accounts", headers=bearer("operator-key"))
        assert (accounts.status_code, time.monotonic() - begun < QUICK) == (200, True)
        sandbox.clear_faults()
        probing.result()
