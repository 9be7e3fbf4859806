"""Changing key files: a proven new pair is adopted; until then the last good pair signs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import ErrorCode
from app.huawei.credentials.key_pairs import CHECK_INTERVAL, KeyPairs
from app.huawei.credentials.key_slot import REFUSED_INTERVAL
from app.settings import Settings
from tests.support.accounts import (
    NEW_PAIR,
    PAIR,
    Mounted,
    events,
    key_pairs,
    partner_center,
    read,
    replace,
    signers,
    used,
    with_pairs,
)
from tests.support.gateway import ACCESS_KEY, SECRET_KEY
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock

NEW_KEY = NEW_PAIR[0]


@pytest.fixture
def pairs(settings: Settings, mounted: Mounted, clock: Clock) -> KeyPairs:
    return key_pairs(with_pairs(settings, mounted), clock)


@pytest.fixture
def ask(settings: Settings, sandbox: SandboxDriver, pairs: KeyPairs) -> Callable[[], None]:
    """Sends a request that must succeed; one request has proven the first pair already."""
    sandbox.access_keys(**{ak: {"secret_key": sk} for ak, sk in (PAIR, NEW_PAIR)})
    center = partner_center(settings, pairs)

    def one() -> None:
        assert read(center) is None

    one()
    sandbox.forget_requests()
    return one


def test_a_new_pair_is_probed_and_used_within_five_seconds(
    ask: Callable[[], None], sandbox: SandboxDriver, mounted: Mounted, clock: Clock
) -> None:
    adopted = events("adopted")
    mounted.write(*NEW_PAIR)
    clock.pass_time(5)
    ask()
    assert (used(sandbox), len(signers(sandbox, probes=True))) == ([NEW_KEY], 1)
    assert events("adopted") == adopted + 1


def test_the_key_files_are_checked_once_per_interval(
    ask: Callable[[], None], sandbox: SandboxDriver, mounted: Mounted, clock: Clock
) -> None:
    mounted.write(*NEW_PAIR)
    clock.pass_time(CHECK_INTERVAL / 2)
    ask()
    assert used(sandbox) == [ACCESS_KEY]
    clock.pass_time(CHECK_INTERVAL / 2)
    ask()
    assert used(sandbox) == [ACCESS_KEY, NEW_KEY]


def test_a_mounted_secret_that_is_swapped_by_one_link_is_adopted(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path, clock: Clock
) -> None:
    """Like the kubelet: `..data` is replaced, and the files are links through it."""
    volume = tmp_path / "volume"
    Mounted(volume).write("x", "x")
    for name, pair in (("..2026_01", PAIR), ("..2026_02", NEW_PAIR)):
        Mounted(volume / name).write(*pair)
    (volume / "..data").symlink_to("..2026_01")
    for name in ("ak", "sk"):
        (volume / name).unlink()
        (volume / name).symlink_to(f"..data/{name}")
    sandbox.access_keys(**{ak: {"secret_key": sk} for ak, sk in (PAIR, NEW_PAIR)})
    center = partner_center(settings, key_pairs(with_pairs(settings, Mounted(volume)), clock))
    assert read(center) is None

    (volume / "..data_tmp").symlink_to("..2026_02")
    (volume / "..data_tmp").rename(volume / "..data")
    clock.pass_time(CHECK_INTERVAL)
    assert read(center) is None
    assert used(sandbox) == [ACCESS_KEY, NEW_KEY]


@pytest.mark.parametrize("first", ["ak", "sk"])
def test_a_half_written_pair_never_signs_a_request(
    ask: Callable[[], None],
    sandbox: SandboxDriver,
    mounted: Mounted,
    clock: Clock,
    first: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept, adopted = events("kept"), events("adopted")
    new = dict(zip(("ak", "sk"), NEW_PAIR, strict=True))
    replace(mounted.folder / first, new.pop(first))
    for _ in range(20):
        clock.pass_time(CHECK_INTERVAL)
        ask()
    assert used(sandbox) == [ACCESS_KEY] * 20
    assert [found for _, found in signers(sandbox, probes=True)] == ["APIGW.0301"]
    assert events("kept") == kept + 1
    assert "Huawei refuses the new key pair; the old key pair stays in use" in caplog.messages

    ((second, text),) = new.items()
    replace(mounted.folder / second, text)
    clock.pass_time(CHECK_INTERVAL)
    ask()
    assert used(sandbox)[20:] == [NEW_KEY]
    assert events("adopted") == adopted + 1
    assert not any(key["locked"] for key in sandbox.state()["access_keys"].values())


@pytest.mark.parametrize("name", ["ak", "sk"])
@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\x00\xfe", b"two\nlines", "dir"])
def test_the_last_good_pair_stays_in_use_while_the_files_hold_none(
    ask: Callable[[], None],
    pairs: KeyPairs,
    sandbox: SandboxDriver,
    mounted: Mounted,
    clock: Clock,
    name: str,
    content: bytes | str | None,
) -> None:
    kept = events("kept")
    mounted.damage(name, content)
    for _ in range(3):
        clock.pass_time(CHECK_INTERVAL)
        ask()
    assert signers(sandbox) == [(ACCESS_KEY, None)] * 3
    assert pairs.usable()
    assert events("kept") == kept + (content is not None)

    path = mounted.folder / name
    path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    mounted.write(*NEW_PAIR)
    clock.pass_time(CHECK_INTERVAL)
    ask()
    assert used(sandbox)[-1] == NEW_KEY


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("html", {"status": 502}), ("html", {"status": 200}), ("reset", {}), ("throttled", {})],
)
def test_a_new_pair_is_not_adopted_before_huawei_answers_its_probe(
    ask: Callable[[], None],
    sandbox: SandboxDriver,
    mounted: Mounted,
    clock: Clock,
    kind: str,
    parameters: dict[str, int],
) -> None:
    mounted.write(*NEW_PAIR)
    sandbox.fault("result", kind, count=1, **parameters)  # the probe gets the fault
    clock.pass_time(CHECK_INTERVAL)
    ask()
    assert used(sandbox) == [ACCESS_KEY]
    clock.pass_time(CHECK_INTERVAL)
    ask()
    assert used(sandbox) == [ACCESS_KEY, NEW_KEY]


def test_a_new_pair_that_huawei_does_not_know_yet_is_probed_again_later(
    ask: Callable[[], None], sandbox: SandboxDriver, mounted: Mounted, clock: Clock
) -> None:
    sandbox.access_keys(**{ACCESS_KEY: {"secret_key": SECRET_KEY}})
    mounted.write(*NEW_PAIR)
    for _ in range(5):
        clock.pass_time(CHECK_INTERVAL)
        ask()
    assert len(signers(sandbox, probes=True)) == 1
    sandbox.access_keys(**{ak: {"secret_key": sk} for ak, sk in (PAIR, NEW_PAIR)})
    clock.pass_time(REFUSED_INTERVAL)
    ask()
    assert used(sandbox) == [ACCESS_KEY] * 5 + [NEW_KEY]


def test_rewriting_the_files_with_the_same_pair_sends_no_probe(
    ask: Callable[[], None], sandbox: SandboxDriver, mounted: Mounted, clock: Clock
) -> None:
    mounted.write(*PAIR)
    clock.pass_time(CHECK_INTERVAL)
    ask()
    assert signers(sandbox) == [(ACCESS_KEY, None)]


def test_key_files_that_appear_after_the_start_are_adopted(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path, clock: Clock
) -> None:
    mounted = Mounted(tmp_path / "late")
    pairs = key_pairs(with_pairs(settings, mounted), clock)
    center = partner_center(settings, pairs)
    assert read(center) == ErrorCode.UPSTREAM_ACCESS_DENIED
    assert not pairs.usable()
    mounted.write(*PAIR)
    clock.pass_time(CHECK_INTERVAL)
    assert read(center) is None
    assert pairs.usable()
    assert signers(sandbox) == [(ACCESS_KEY, None)]


def test_the_key_files_are_checked_at_once_where_no_usable_pair_is_left(
    settings: Settings, sandbox: SandboxDriver, mounted: Mounted, pairs: KeyPairs
) -> None:
    center = partner_center(settings, pairs)
    sandbox.access_keys(**{NEW_KEY: {"secret_key": NEW_PAIR[1]}})
    assert [read(center) for _ in range(3)] == [ErrorCode.UPSTREAM_ACCESS_DENIED] * 3
    mounted.write(*NEW_PAIR)
    assert read(center) is None
    assert used(sandbox) == [ACCESS_KEY, ACCESS_KEY, NEW_KEY]
