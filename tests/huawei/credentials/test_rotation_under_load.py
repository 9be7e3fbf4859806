"""Key pairs replaced under load, as callers see it: no request fails."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.settings import Settings
from tests.support.accounts import (
    NEW_PAIR,
    PAIR,
    Mounted,
    gateway,
    replace,
    signers,
    used,
    with_pairs,
)
from tests.support.gateway import ACCESS_KEY, SECOND_ACCESS_KEY, SECOND_SECRET_KEY, code, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import LIMIT, together, wait_until

pytestmark = pytest.mark.slow

NEW_KEY = NEW_PAIR[0]


def test_a_key_deleted_at_huawei_is_replaced_within_the_same_request(
    settings: Settings, sandbox: SandboxDriver, mounted: Mounted
) -> None:
    client = gateway(with_pairs(settings, mounted))
    assert submit(client).status_code == 201
    mounted.write(SECOND_ACCESS_KEY, SECOND_SECRET_KEY)
    sandbox.access_keys(**{SECOND_ACCESS_KEY: {"secret_key": SECOND_SECRET_KEY}})
    sandbox.forget_requests()
    assert submit(client).status_code == 201
    assert signers(sandbox, probes=False) == [
        (ACCESS_KEY, "APIGW.0301"),
        (SECOND_ACCESS_KEY, "CBC.0000"),
    ]


def test_a_key_deleted_too_early_is_replaced_once_the_new_files_appear(
    settings: Settings, sandbox: SandboxDriver, mounted: Mounted
) -> None:
    client = gateway(with_pairs(settings, mounted))
    assert submit(client).status_code == 201
    sandbox.access_keys(**{SECOND_ACCESS_KEY: {"secret_key": SECOND_SECRET_KEY}})
    assert [code(submit(client)) for _ in range(4)] == ["UPSTREAM_ACCESS_DENIED"] * 4
    mounted.write(SECOND_ACCESS_KEY, SECOND_SECRET_KEY)
    wait_until(lambda: submit(client).status_code == 201, limit=5)


def test_no_request_of_four_threads_is_lost_while_the_pair_is_replaced(
    settings: Settings, sandbox: SandboxDriver, mounted: Mounted
) -> None:
    sandbox.access_keys(**{ak: {"secret_key": sk} for ak, sk in (PAIR, NEW_PAIR)})
    client = gateway(with_pairs(settings, mounted))
    assert submit(client).status_code == 201
    done = threading.Event()

    def load(place: int) -> list[int]:
        found = []
        ends = threading.Timer(LIMIT, done.set)
        ends.daemon = True
        ends.start()
        while not done.is_set():
            found.append(submit(client, f"customer-{place}").status_code)
        ends.cancel()
        return found

    def rotate() -> list[int]:
        replace(mounted.folder / "ak", NEW_PAIR[0])
        wait_until(lambda: signers(sandbox, probes=True))  # the half-written pair was probed
        replace(mounted.folder / "sk", NEW_PAIR[1])
        wait_until(lambda: NEW_KEY in used(sandbox))
        sandbox.access_keys(
            **{NEW_KEY: {"secret_key": NEW_PAIR[1]}}
        )  # the sandbox no longer knows the old key
        sandbox.forget_requests()
        wait_until(lambda: len(used(sandbox)) > 40)
        done.set()
        return []

    answers: list[list[int]] = together(5, lambda place: load(place) if place else rotate())
    assert {status for one in answers for status in one} == {201}
    assert used(sandbox)[-1] == NEW_KEY


def test_one_of_twenty_refused_requests_proves_the_new_pair_while_the_others_wait(
    client: FlaskClient, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    assert submit(client).status_code == 201
    Mounted(tmp_path / "new").write(*NEW_PAIR)
    for name, file in (("ak", "default-ak"), ("sk", "default-sk")):
        (tmp_path / "new" / name).rename(tmp_path / file)
    sandbox.access_keys(**{NEW_KEY: {"secret_key": NEW_PAIR[1]}})
    sandbox.forget_requests()
    assert together(20, lambda place: submit(client, f"c-{place}").status_code) == [201] * 20
    assert len(signers(sandbox, probes=True)) == 1
