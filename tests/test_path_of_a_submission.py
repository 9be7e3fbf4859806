"""The path of a submission through the code, as CONTRIBUTING.md tells it."""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from app import create_app
from app.settings import Settings
from demo.processes import PROJECT
from tests.support.gateway import altered, bearer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import INDIVIDUAL

APP = PROJECT / "app"
# The goal is 25 files and 60 moves. These bounds are what is reached: lower them. Raise them only
# for a room that several operations share.
MOST_FILES, MOST_MOVES = 47, 98


def moves(called: list[Path]) -> int:
    """The number of times that a call is in another file than the call before it."""
    return sum(one != other for one, other in pairwise(called))


def trace(settings: Settings, backend: str) -> list[Path]:
    """The file of each own function that a submission calls, in the order of the calls.

    The first submission proves the key pair and opens the connection, and once a second a
    submission looks at the key files. The trace with the fewest moves has none of these.
    """
    client = create_app(altered(settings, verification={"backend": backend})).test_client()
    traces: list[list[Path]] = []

    def note(frame: FrameType, event: str, _: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(APP):
            traces[-1].append(path.relative_to(PROJECT))

    for customer in ("cust-1", "cust-2", "cust-3", "cust-4"):
        traces.append([])
        path = f"/v1/customers/{customer}/verifications/individual"
        sys.setprofile(note)
        try:
            answer = client.post(path, json=INDIVIDUAL, headers=bearer())
        finally:
            sys.setprofile(None)
        assert answer.status_code in (201, 202)
    return min(traces, key=moves)


@pytest.fixture
def legacy(settings: Settings, sandbox: SandboxDriver) -> list[Path]:  # noqa: ARG001 - behind it
    return trace(settings, "legacy")


def test_the_path_of_a_submission_stays_short(legacy: list[Path]) -> None:
    assert len(set(legacy)) <= MOST_FILES
    assert moves(legacy) <= MOST_MOVES


def test_contributing_names_the_files_that_a_submission_crosses_in_their_order(
    legacy: list[Path],
) -> None:
    text = (PROJECT / "CONTRIBUTING.md").read_text()
    section = text.split("## The path of a submission")[1].split("\n## ")[0]
    named = [Path(path) for path in re.findall(r"\]\((app/[^)]+\.py)\)", section)]
    # A submission that succeeds crosses neither the other backend nor the files of failures.
    aside = {
        *("app/errors.py", "app/gateway.py", "app/api/problems/__init__.py"),
        *("app/api/hooks.py", "app/verification/lost_answers.py"),
        "app/verification/backends/review.py",
    }
    crossed = [path for path in named if str(path) not in aside]
    assert [path for path in crossed if path not in legacy] == []
    first = [legacy.index(path) for path in crossed]
    assert first == sorted(first)
