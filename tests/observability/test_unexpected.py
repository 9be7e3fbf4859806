"""Uncaught exceptions and warnings are logged without their text."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from app.observability import logs
from tests.support.log import Log, check_silence


@pytest.fixture(autouse=True)
def caught() -> Iterator[None]:
    before = threading.excepthook, sys.unraisablehook
    logs.catch_the_rest()
    yield
    threading.excepthook, sys.unraisablehook = before
    logging.captureWarnings(False)


class _Dying:
    def __del__(self) -> None:
        raise ValueError("ZHANG SAN")


def _fail() -> None:
    raise ValueError("ZHANG SAN")


def _run(work: object) -> None:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def test_an_exception_that_ends_a_thread_is_logged_without_its_text(
    log: Log, capfd: pytest.CaptureFixture[str]
) -> None:
    _run(_fail)
    (line,) = log.lines
    assert (line["level"], line["where"]) == ("ERROR", "thread")
    assert line["exceptions"][0]["type"] == "builtins.ValueError"
    assert "_fail" in line["exceptions"][0]["at"][-1]
    check_silence(log)
    assert "".join(capfd.readouterr()) == ""


def test_an_exception_in_a_finalizer_is_logged_without_its_text(
    log: Log, capfd: pytest.CaptureFixture[str]
) -> None:
    _Dying()
    assert [line["where"] for line in log.lines] == ["finalizer"]
    check_silence(log)
    assert "".join(capfd.readouterr()) == ""


def test_a_thread_that_exits_on_purpose_logs_nothing(log: Log) -> None:
    _run(sys.exit)
    assert log.lines == []


def test_a_warning_is_logged_without_its_text(log: Log, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("ZHANG SAN", stacklevel=1)
    (line,) = log.lines
    assert (line["logger"], line["event"]) == ("py.warnings", None)
    check_silence(log)
    assert "".join(capfd.readouterr()) == ""
