"""Tokens with a key that the issuer's cached key set does not hold."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.callers.key_set import KeySet
from app.callers.sources import Source, from_file
from app.errors import ErrorCode, GatewayError
from tests.callers.shelf import Clock, Shelf, shelved
from tests.support import issuer
from tests.support.issuer import EC, RSA, public


def test_a_new_key_within_the_pause_after_an_unknown_one_is_a_503_and_then_verifies() -> None:
    shelf, clock = Shelf(issuer.published()), Clock()
    keys = shelved(shelf, clock)
    assert keys.key("one") is not None
    clock.now += 31
    assert keys.key("unknown") is None
    shelf.document = issuer.key_set(public(EC, "new"))
    clock.now += 10
    with pytest.raises(GatewayError) as failure:
        keys.key("new")
    assert failure.value.code is ErrorCode.IDENTITY_UNAVAILABLE
    assert failure.value.retry_after == 20
    clock.now += 20
    assert keys.key("new") is not None


def test_an_unknown_key_id_is_not_refused_while_the_issuer_cannot_be_read() -> None:
    shelf, clock = Shelf(issuer.published()), Clock()
    keys = shelved(shelf, clock)
    assert keys.key("one") is not None
    clock.now += 31
    shelf.document = OSError()
    with pytest.raises(GatewayError) as failure:
        keys.key("new")
    assert failure.value.code is ErrorCode.IDENTITY_UNAVAILABLE
    assert keys.key("one") is not None


def test_a_read_that_hangs_holds_no_request_with_a_known_key() -> None:
    go_on, begun = threading.Event(), threading.Event()

    def load() -> bytes:
        if readings := len(calls):
            begun.set()
            assert go_on.wait(10)
        calls.append(readings)
        return issuer.published().encode()

    calls: list[int] = []
    clock = Clock()
    keys = KeySet("tests", Source(load, fresh=300, pause=30, slow=True), clock)
    assert keys.key("one") is not None
    clock.now += 301
    with ThreadPoolExecutor(2) as threads:
        unknown = threads.submit(keys.key, "unknown")
        assert begun.wait(10)
        known = threads.submit(keys.key, "one")
        assert known.result(5) is not None
        assert not unknown.done()
        go_on.set()
        assert unknown.result(10) is None


def test_requests_that_waited_for_a_failed_read_do_not_read_in_turn() -> None:
    go_on, begun = threading.Event(), threading.Event()
    reads: list[int] = []

    def load() -> bytes:
        reads.append(1)
        begun.set()
        assert go_on.wait(10)
        raise OSError

    keys = KeySet("tests", Source(load, fresh=300, pause=30, slow=True), Clock())
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(keys.key, "one") for _ in range(8)]
        assert begun.wait(10)
        go_on.set()
        assert {type(one.exception(10)) for one in waiting} == {GatewayError}
    assert len(reads) == 1


def test_a_file_that_did_not_change_is_not_read_again_and_a_new_key_in_it_verifies_at_once(
    tmp_path: Path,
) -> None:
    path = issuer.write(tmp_path)
    keys = KeySet("tests", from_file(path))
    assert keys.key("one") is not None
    assert [keys.key(f"unknown-{number}") for number in range(50)] == [None] * 50
    path.write_text(issuer.key_set(public(RSA, "one"), public(EC, "new")))
    assert keys.key("new") is not None
