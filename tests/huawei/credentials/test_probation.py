"""Probation of a key pair: proof, suspension for Huawei's lock window, and a new probe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.errors import ErrorCode, GatewayError
from app.huawei.codes import Verdict
from app.huawei.credentials.key_pair import SUSPENSION
from app.huawei.credentials.key_slot import REFUSED_INTERVAL
from app.huawei.partner_center import PartnerCenter
from app.settings import PairSettings, Settings
from app.state import MemoryState
from tests.support.accounts import (
    PAIR,
    Mounted,
    key_pairs,
    loaded,
    partner_center,
    read,
    replace,
    signers,
    with_pairs,
)
from tests.support.gateway import ACCESS_KEY, SECOND_ACCESS_KEY, altered, code, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock, together

LOCK_TEXT = (
    "Incorrect IAM authentication information: AK access failed to reach the limit,forbidden."
)


def checked(center: PartnerCenter) -> ErrorCode | None:
    """The error code of one probe; None for success."""
    try:
        failure = center.check().failure
    except GatewayError as error:
        failure = error
    return failure.code if failure else None


@pytest.mark.parametrize("locked", [True, False])
def test_after_the_window_one_request_proves_a_suspended_pair(
    settings: Settings, sandbox: SandboxDriver, locked: bool
) -> None:
    clock = Clock()
    center = partner_center(settings, key_pairs(settings, clock))
    text = {"message": LOCK_TEXT} if locked else {}
    ended = ErrorCode.ACCESS_KEY_LOCKED if locked else ErrorCode.UPSTREAM_ACCESS_DENIED
    sandbox.fault("result", "code", code="APIGW.0301", **text)
    refusals = 1 if locked else 2
    assert [read(center) for _ in range(5)] == [ended] * 5
    assert len(sandbox.requests()) == refusals

    clock.pass_time(SUSPENSION - 1)
    assert read(center) == ended
    assert len(sandbox.requests()) == refusals

    sandbox.clear_faults()
    sandbox.fault("result", "latency", seconds=0.3, count=1)
    clock.pass_time(1)
    assert together(8, lambda _: read(center)) == [None] * 8
    seen = sandbox.requests()[refusals:]
    assert len(seen) == 8
    # Only the first request is sent: the others wait for its verdict.
    assert seen[1]["at"] - seen[0]["at"] > 0.25


@pytest.mark.parametrize("found", [None, "CBC.99000035", "CBC.0151"])
def test_an_answer_of_partner_center_resets_the_count_of_refusals(
    settings: Settings, sandbox: SandboxDriver, found: str | None
) -> None:
    """Huawei counts refusals in a row."""
    center = partner_center(settings, key_pairs(settings, Clock()))
    for _ in range(4):
        sandbox.fault("result", "code", code="APIGW.0301", count=1)
        assert read(center) == ErrorCode.UPSTREAM_ACCESS_DENIED
        if found:
            sandbox.fault("result", "code", code=found, count=1)
        read(center)
    assert len(sandbox.requests()) == 8


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("html", {"status": 502}),
        ("html", {"status": 200}),
        ("html", {"status": 401}),
        ("empty", {}),
        ("reset", {}),
        ("throttled", {}),
        ("status", {"status": 500, "body": {}}),
        ("code", {"code": "APIGW.0302"}),
        ("code", {"code": "APIGW.0101"}),
    ],
)
def test_a_failure_unrelated_to_the_signature_leaves_the_pair_unproven(
    settings: Settings, sandbox: SandboxDriver, kind: str, parameters: dict[str, Any]
) -> None:
    pairs = key_pairs(settings, Clock())
    center = partner_center(settings, pairs)
    sandbox.fault("result", kind, **parameters)
    assert all(together(6, lambda _: checked(center)))
    assert pairs.describe()["key_pairs"][0]["condition"] == "UNPROVEN"
    sandbox.clear_faults()
    assert read(center) is None


def test_a_proven_pair_is_suspended_after_two_later_refusals(
    client: Any, sandbox: SandboxDriver
) -> None:
    assert submit(client).status_code == 201
    sandbox.access_keys(**{ACCESS_KEY: {"secret_key": "changed-at-huawei"}})
    assert [code(submit(client)) for _ in range(6)] == ["UPSTREAM_ACCESS_DENIED"] * 6
    assert [found for _, found in signers(sandbox)] == ["CBC.0000", "APIGW.0301", "APIGW.0301"]
    assert not sandbox.state()["access_keys"][ACCESS_KEY]["locked"]


def test_a_proven_pair_signs_many_requests_at_once(
    settings: Settings, sandbox: SandboxDriver
) -> None:
    center = partner_center(settings, key_pairs(settings, Clock()))
    assert read(center) is None
    sandbox.fault("result", "latency", seconds=1)
    assert together(16, lambda _: read(center)) == [None] * 16
    moments = [entry["at"] for entry in sandbox.requests()[1:]]
    assert max(moments) - min(moments) < 1  # all were sent before the first was answered


def test_requests_do_not_wait_for_a_proof_where_huawei_is_unreachable(settings: Settings) -> None:
    unreachable = altered(settings, endpoint="http://127.0.0.1:1")
    center = partner_center(unreachable, key_pairs(unreachable, Clock()))
    found = together(20, lambda _: checked(center))
    assert found == [ErrorCode.UPSTREAM_UNREACHABLE] * 20


def test_a_pair_that_stays_wrong_is_sent_twice_per_window(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    clock = Clock()
    mounted = Mounted(tmp_path / "partner").write(*PAIR)
    center = partner_center(settings, key_pairs(with_pairs(settings, mounted), clock))
    assert read(center) is None
    replace(
        mounted.folder / "ak", SECOND_ACCESS_KEY
    )  # while the secret of the other pair is still mounted
    for _ in range(4):
        assert read(center) is None
        clock.pass_time(REFUSED_INTERVAL)
    assert signers(sandbox, probes=True) == [(SECOND_ACCESS_KEY, "APIGW.0301")] * 2
    clock.pass_time(SUSPENSION)
    assert read(center) is None
    assert len(signers(sandbox, probes=True)) == 3


def test_a_pair_stays_suspended_though_the_shared_state_forgot_it(files: PairSettings) -> None:
    now, forgets = Clock(0.0), Clock(0.0)
    pair = loaded(files, now, MemoryState(now=forgets))
    pair.release(bool(pair.acquire()), Verdict.LOCKED)
    forgets.pass_time(SUSPENSION)
    assert pair.acquire() is None
    now.pass_time(SUSPENSION)
    assert pair.acquire() is True
    pair.release(True, Verdict.UNKNOWN)
