"""Deadlines, and the thread that calls functions at theirs."""

from __future__ import annotations

import threading
import time

import pytest

from app.huawei.transport.watch import Watch, left
from tests.support.log import Log

LIMIT = 10  # seconds; only a failing test waits this long


def _fail() -> None:
    raise ValueError("ZHANG SAN")


def test_a_function_that_raises_is_logged_and_does_not_end_the_watch(log: Log) -> None:
    watch, called = Watch(), threading.Event()
    watch.until("first", time.monotonic(), _fail)
    watch.until("second", time.monotonic(), called.set)
    assert called.wait(LIMIT)
    (line,) = log.lines
    assert (line["where"], line["exceptions"][0]["type"]) == ("watch", "builtins.ValueError")


def test_a_deadline_that_has_passed_leaves_no_time() -> None:
    with pytest.raises(TimeoutError):
        left(time.monotonic())
