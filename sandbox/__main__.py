"""Runs the sandbox until SIGINT or SIGTERM: python -m sandbox."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from .server import SandboxServer
from .settings import InvalidControl


def _settings(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise argparse.ArgumentTypeError("not a JSON object")
    return document


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, and return 0."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", default=8090, type=int, help="port to listen on; 0 picks one")
    parser.add_argument(
        "--settings",
        default={},
        type=_settings,
        metavar="JSON",
        help="settings of the start state, for example '{\"requests_per_second\": null}'",
    )
    options = parser.parse_args(arguments)
    try:
        sandbox = SandboxServer(options.host, options.port, options.settings)
    except InvalidControl as error:
        parser.error(str(error))
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with sandbox as server:
        sys.stdout.write(f"sandbox listening on {server.url}\n")
        sys.stdout.flush()
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
