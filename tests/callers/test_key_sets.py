"""The key set of an issuer: refreshed on a change, kept when a refresh fails, read rarely."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from prometheus_client import REGISTRY

from app.callers.key_set import RETRY_PAUSE, KeySet
from app.callers.sources import Source
from app.errors import ErrorCode, GatewayError
from tests.callers.shelf import Clock, Shelf, shelved
from tests.support import issuer
from tests.support.issuer import EC, RSA, public, rsa_key
from tests.support.timing import wait_until


def readings(outcome: str) -> float:
    labels = {"issuer": "tests", "outcome": outcome}
    return REGISTRY.get_sample_value("gateway_key_set_fetches_total", labels) or 0.0


def test_a_key_set_is_read_once_and_again_after_it_expires() -> None:
    shelf, clock = Shelf(issuer.published()), Clock()
    keys = shelved(shelf, clock)
    for _ in range(3):
        assert keys.key("one") is not None
    assert shelf.readings == 1
    clock.now += 301
    assert keys.key("one") is not None
    assert shelf.readings == 2


def test_an_unknown_key_id_refreshes_the_key_set_but_many_of_them_do_so_once() -> None:
    shelf, clock = Shelf(issuer.published()), Clock()
    keys = shelved(shelf, clock)
    assert keys.key("one") is not None
    clock.now += 31
    shelf.document = issuer.key_set(public(RSA, "one"), public(EC, "new"))
    assert keys.key("new") is not None
    for number in range(1000):
        assert keys.key(f"unknown-{number}") is None
    assert shelf.readings == 2
    clock.now += 31
    assert keys.key("unknown") is None
    assert shelf.readings == 3


def test_a_revoked_key_no_longer_verifies_tokens() -> None:
    shelf, clock = Shelf(issuer.published()), Clock()
    keys = shelved(shelf, clock)
    assert keys.key("one") is not None
    shelf.document = issuer.key_set(public(EC, "two"))
    clock.now += 301
    keys.key("two")
    assert keys.key("one") is None


@pytest.mark.parametrize(
    "document", [OSError(), "", "no json", "[]", '{"keys": 7}', '{"keys": []}', b"\xff", "[" * 9999]
)
def test_the_last_good_key_set_stays_in_use_where_refreshing_fails(document: Any) -> None:
    shelf, clock = Shelf(issuer.published()), Clock()
    keys = shelved(shelf, clock)
    assert keys.key("one") is not None
    failed = readings("failed")
    shelf.document = document
    for _ in range(3):
        clock.now += 301
        assert keys.key("one") is not None
    assert readings("failed") == failed + 3


def test_without_a_key_set_verification_fails_and_reading_is_retried_soon() -> None:
    shelf, clock = Shelf(OSError()), Clock()
    keys = shelved(shelf, clock)
    for _ in range(5):
        with pytest.raises(GatewayError) as failure:
            keys.key("one")
        assert failure.value.code is ErrorCode.IDENTITY_UNAVAILABLE
    assert shelf.readings == 1
    shelf.document = issuer.published()
    clock.now += RETRY_PAUSE
    assert keys.key("one") is not None


def test_unsuitable_keys_of_a_key_set_are_ignored() -> None:
    private = public(RSA, "private") | {"d": "AQAB"}
    symmetric = {"kty": "oct", "kid": "symmetric", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}
    encryption = public(RSA, "encryption", use="enc")
    short = public(rsa_key(1024), "short")
    strange = {"kty": "EC", "kid": "strange", "crv": "P-999", "x": "AA", "y": "AA"}
    broken: list[Any] = ["text", {"kty": "RSA", "kid": "broken", "n": 7, "e": "AQAB"}, {"kid": 3}]
    document = json.dumps(
        {"keys": [private, symmetric, encryption, short, strange, *broken, public(RSA, "good")]}
    )
    keys = shelved(Shelf(document), Clock())
    assert keys.key("good") is not None
    passed = ("private", "symmetric", "encryption", "short", "strange", "broken", "3", "None")
    assert [keys.key(name) for name in passed] == [None] * len(passed)


def test_the_only_key_of_a_set_verifies_tokens_without_a_key_id() -> None:
    keys = shelved(Shelf(issuer.key_set(public(RSA, "one"))), Clock())
    assert keys.key(None) is not None
    keys = shelved(Shelf(issuer.published()), Clock())
    assert keys.key(None) is None


def test_a_key_keeps_the_algorithm_that_it_is_published_for() -> None:
    keys = shelved(
        Shelf(issuer.key_set(public(RSA, "any"), public(RSA, "one", alg="PS256"))), Clock()
    )
    found = [keys.key(name) for name in ("any", "one")]
    assert [key.algorithm for key in found if key] == [None, "PS256"]


def test_many_concurrent_requests_read_the_key_set_once() -> None:
    shelf = Shelf(issuer.published())
    keys = shelved(shelf, Clock())
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(keys.key("one"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (shelf.readings, len(found), None in found) == (1, 20, False)


def test_a_stale_key_set_stays_in_use_during_a_slow_refresh() -> None:
    go_on, begun = threading.Event(), threading.Event()

    def load() -> bytes:
        if begun.is_set():
            go_on.wait(10)
        begun.set()
        return issuer.key_set(public(RSA, "one"), public(EC, "new")).encode()

    clock = Clock()
    keys = KeySet("tests", Source(load, fresh=300, pause=30, slow=True), clock)
    assert keys.key("one") is not None
    clock.now += 301
    assert (
        keys.key("one") is not None
    )  # the refresh waits for `go_on`, and no request waits for the refresh
    go_on.set()
    wait_until(lambda: keys.key("new") is not None)
