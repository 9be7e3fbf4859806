"""The documented consumers of events: they follow, go on after a crash, and look after a loss."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from queue import Queue
from tempfile import TemporaryFile
from threading import Event as Flag
from threading import Thread
from typing import IO, cast
from uuid import uuid4

import pytest

from app.events import EventType, Feed
from app.events.open_reviews import OpenReviews
from demo.local import Local
from demo.processes import start
from tests.clients.languages import CLIENTS
from tests.docs.test_quickstart import installed
from tests.support import shell
from tests.support.events import add, credit_used, ended
from tests.support.programs import needed
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import LIMIT
from tests.support.valkey import STATE_KEY, Valkey
from tools.docs import markdown
from tools.docs.written import QUICKSTART

PROGRAMS = {
    "python": ("events.py", "customers.db", ("openapi-python-client",)),
    "typescript": ("events.ts", "customers.json", CLIENTS["openapi-typescript"].tools),
}
Say = Callable[[], str]
Program = Callable[[], AbstractContextManager[Say]]


@pytest.fixture(scope="module")
def local(valkey_server: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """The gateway with a Redis, in which the test can play the watcher."""
    key_file = tmp_path_factory.mktemp("state") / "key"
    key_file.write_text(STATE_KEY)
    state = {"url": valkey_server.url, "key_file": str(key_file)}
    with TemporaryFile() as log, Local(log=log, state=state) as local:
        yield local


@pytest.fixture
def feed(valkey: Valkey) -> Feed:
    return Feed(valkey.state(), Flag())


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest, local: Local, tmp_path: Path) -> Program:
    """Starts the program in a context; gives a function that answers its next line."""
    language: str = request.param
    name, kept, tools = PROGRAMS[language]
    for tool in tools:
        needed(tool)
    shutil.copy(QUICKSTART / name, tmp_path)
    installed(language, tmp_path)
    *preparing, run = markdown.block("docs/events.md", f"sh events-{language}").splitlines()
    assert run.endswith(kept)
    shell.run("\n".join(preparing), tmp_path, shell.caller(local))
    variables = shell.variables(shell.caller(local))

    @contextmanager
    def started() -> Iterator[Say]:
        command = ("/bin/bash", "-euc", f"exec env {run}")
        lines: Queue[str] = Queue()
        # Its problems, on standard error, are not read by the test.
        process = start(command, subprocess.PIPE, variables, tmp_path, subprocess.DEVNULL)
        output = cast(IO[bytes], process.stdout)

        def read() -> None:
            for line in output:
                lines.put(line.decode().strip())

        reader = Thread(target=read, daemon=True)
        with process:  # closes its pipe
            reader.start()
            try:
                yield lambda: lines.get(timeout=LIMIT)
            finally:
                process.kill()  # a crash
                reader.join()

    return started


def test_a_consumer_follows_goes_on_after_a_crash_and_looks_after_a_loss(
    program: Program, local: Local, feed: Feed, valkey: Valkey
) -> None:
    sandbox = SandboxDriver(local.sandbox_url)
    known = f"cust-{uuid4().hex}"
    sandbox.customer(known)
    try:
        with program() as said:
            assert said() == f"{known}: NOT_SUBMITTED"  # the look of the first start
            add(feed, "cust-1")
            assert said() == "cust-1: VERIFIED"
        feed.add(credit_used(), "credit")
        feed.add(ended("cust-2", type=EventType.BUDGET_USED), "budget")
        feed.add(ended("cust-3", status="REJECTED"), "rejected")
        with program() as said:
            assert said() == "cust-3: REJECTED"
            sandbox.review(known, "in_review")
            valkey.clear()
            add(feed, "cust-4")
            assert said() == f"{known}: IN_REVIEW"
            assert OpenReviews("default", valkey.state(), feed).find(known) is not None
            add(feed, "cust-5")
            while (line := said()) != "cust-5: VERIFIED":
                assert line == "cust-4: VERIFIED"  # unless the look told it
    finally:
        sandbox.forget_customer(known)
