"""The gateway's application with one call more: POST /_reset, for test suites.

Only `demo.serve` serves it. `app` knows nothing of it, and image and chart do not contain it.
"""

from collections.abc import Callable, Iterable
from typing import Any

import requests
from flask import Flask
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response

from app import create_app
from app.gateway import Gateway
from app.state import MemoryState

PATH = "/_reset"
TIMEOUT = 10  # seconds for the reset of the sandbox


class Resettable:
    """A gateway that is replaced by a new one, whose sandbox returns to its start state.

    The new gateway knows nothing of the past: no idempotency key, lock, proven key pair, circuit,
    rate of a caller, or switch-off of the legacy API. The counters of the metrics go on.

    Args:
        build: Builds the gateway's application; its state must be in memory.
    """

    def __init__(self, build: Callable[[], Flask]) -> None:
        self._build = build
        self._application = build()
        if not isinstance(self._gateway.state, MemoryState):
            raise TypeError("a reset cannot forget a state outside this process")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request: reset, or have the gateway answer it."""
        if environ["PATH_INFO"] != PATH:
            return self._application(environ, start_response)
        if environ["REQUEST_METHOD"] != "POST":
            return MethodNotAllowed(["POST"])(environ, start_response)
        self._reset()
        return Response(status=204)(environ, start_response)

    @property
    def extensions(self) -> dict[str, Any]:
        """The extensions of the application, where gunicorn's worker finds the gateway."""
        return self._application.extensions

    @property
    def _gateway(self) -> Gateway:
        found: Gateway = self.extensions["partner_gateway"]
        return found

    def _reset(self) -> None:
        old = self._gateway
        self._application = self._build()
        old.draining.set()  # waits for reviews end now, and the old threads
        self._gateway.start()
        with requests.Session() as session:
            session.trust_env = False
            sandbox = old.settings.accounts["default"].endpoint
            session.post(f"{sandbox}/_sandbox/reset", timeout=TIMEOUT).raise_for_status()


def application() -> Resettable:
    """The application that gunicorn serves for `demo.serve`."""
    return Resettable(create_app)
