"""The documented receiver of webhooks: it verifies, and keeps each event once."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.events import Entry, EventType
from app.events.webhooks import Outcome, Try, Webhook
from demo.local import free_port
from demo.processes import end, start
from tests.support.events import ended
from tests.support.hooks import webhook_to
from tests.support.receiver import new_secret
from tests.support.timing import wait_until
from tools.docs import markdown
from tools.docs.written import QUICKSTART

DELIVERED = Try(Outcome.DELIVERED, 204)


@contextmanager
def receiving(folder: Path, port: int, secret: str) -> Iterator[IO[bytes]]:
    """Run the program as documented, but for its port. Yields what it prints."""
    documented = markdown.block("docs/events.md", "sh webhook-python").strip()
    _, _, arguments = documented.partition(" python ")
    words = arguments.replace("webhook.py 8000", f"{QUICKSTART / 'webhook.py'} {port}").split()
    variables = {"SECRET": secret}
    command = (sys.executable, *words)
    process = start(command, subprocess.PIPE, variables, folder, subprocess.DEVNULL)
    assert process.stdout is not None
    with process.stdout as printed:
        try:
            wait_until(lambda: _open(port))
            yield printed
        finally:
            end(process)


def _open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _sends(folder: Path, port: int, secret: str) -> Webhook:
    (folder / "secret").write_text(secret)
    return webhook_to(f"http://127.0.0.1:{port}/hooks", folder / "secret")


def test_the_receiver_keeps_each_event_once(tmp_path: Path) -> None:
    port, secret = free_port(), new_secret()
    sends = _sends(tmp_path, port, secret)
    with receiving(tmp_path, port, secret) as printed:
        for id, event in (
            ("1-1", ended("c-1")),
            ("1-1", ended("c-1")),
            ("2-1", ended("c-2", type=EventType.BUDGET_USED)),
            ("3-1", ended("c-3", status="REJECTED")),
        ):
            assert sends.send(Entry(id, event)) == DELIVERED
        lines = [printed.readline().decode().strip() for _ in range(2)]
    assert lines == ["c-1: VERIFIED", "c-3: REJECTED"]
    with receiving(tmp_path, port, secret) as printed:
        assert sends.send(Entry("1-1", ended("c-1"))) == DELIVERED
        assert sends.send(Entry("4-1", ended("c-4"))) == DELIVERED
        assert printed.readline().decode().strip() == "c-4: VERIFIED"


def test_the_receiver_refuses_what_another_secret_signed(tmp_path: Path) -> None:
    port = free_port()
    with receiving(tmp_path, port, new_secret()):
        sends = _sends(tmp_path, port, new_secret())
        assert sends.send(Entry("1-1", ended())) == Try(Outcome.REFUSED, 401)
