"""A caller's receiver of webhooks: a real HTTP server with the standard's own verifier."""

from __future__ import annotations

import json
import secrets
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.support.server import Server
from tests.support.timing import LIMIT


def new_secret(length: int = 24) -> str:
    """A secret in the form of the specification."""
    return f"whsec_{b64encode(secrets.token_bytes(length)).decode()}"


@dataclass(frozen=True)
class Received:
    """A verified request.

    Args:
        id: The header `webhook-id`.
        content: The parsed body.
        headers: All headers, by lower-case names.
        accepted: Whether it was answered by 2xx.
    """

    id: str
    content: dict[str, Any]
    headers: dict[str, str] = field(repr=False)
    accepted: bool

    @property
    def customer(self) -> str:
        return str(self.content["data"].get("customer_id"))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """A peer has closed the connection, or was killed."""


class Receiver(Server):
    """Verifies what it gets and answers with a status; leaving the context ends it.

    Args:
        secret: The secret that it verifies with.
        answer: Returns the status by the content of the body; it may wait.
        tls: The TLS context of an HTTPS receiver.
    """

    def __init__(
        self,
        secret: str,
        answer: Callable[[dict[str, Any]], int] = lambda _: 204,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.secret = secret
        self.answer = answer
        self.headers: dict[str, str] = {}  # of its answers
        self.body = b""  # of its answers
        self.requests: list[Received] = []
        self.forged = 0
        self.most_at_once = 0
        self._at_once = 0
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), self._handlers())
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/hooks?of=gateway"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def accepted(self) -> list[str]:
        """The customers of the events that were accepted, in their order."""
        return [one.customer for one in self.requests if one.accepted]

    @property
    def ids(self) -> list[str]:
        """The ids of the events that were accepted, in their order."""
        return [one.id for one in self.requests if one.accepted]

    def wait_for(self, condition: Callable[[Receiver], bool], limit: float = LIMIT) -> None:
        """Wait until the receiver has got what a test expects."""
        with self._changed:
            came = self._changed.wait_for(lambda: condition(self), limit)
            assert came, [(one.customer, one.accepted) for one in self.requests]

    def _take(self, headers: dict[str, str], body: bytes) -> int:
        try:
            Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            with self._changed:
                self.forged += 1
                self._changed.notify_all()
            return 401
        content = json.loads(body)
        with self._changed:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self._changed.notify_all()
        status = self.answer(content)
        with self._changed:
            self._at_once -= 1
            accepted = 200 <= status < 300
            self.requests.append(Received(headers["webhook-id"], content, headers, accepted))
            self._changed.notify_all()
        return status

    @property
    def under_way(self) -> int:
        """The number of requests that are not answered yet."""
        return self._at_once

    def _handlers(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                headers["path"] = self.path
                status = receiver._take(headers, body)
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(receiver.body)))
                self.end_headers()
                self.wfile.write(receiver.body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
