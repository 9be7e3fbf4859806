"""A collector of traces: accepts OTLP over HTTP, stores the raw batches, and decodes the spans."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Exported

from tests.support.server import Server

LIMIT = 30  # seconds


@dataclass(frozen=True, slots=True)
class Batch:
    """One request of an exporter."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Span:
    """A span in a form that a test can compare."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    failed: bool
    whole: Exported


def _read(span: Exported) -> Span:
    kinds = {Exported.SPAN_KIND_SERVER: "server", Exported.SPAN_KIND_CLIENT: "client"}
    attributes = {
        one.key: getattr(one.value, one.value.WhichOneof("value") or "") for one in span.attributes
    }
    return Span(
        name=span.name,
        kind=kinds.get(span.kind, "other"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        attributes=attributes,
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
        whole=span,
    )


class Collector(Server):
    """A collector on a free port; leaving the context ends it.

    Args:
        status: The status of its answers; another status than 200 makes exports fail.
        tls: The TLS context of an https collector.
    """

    def __init__(self, status: int = 200, tls: ssl.SSLContext | None = None) -> None:
        self.batches: list[Batch] = []
        self._arrived = threading.Condition()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with collector._arrived:
                    collector.batches.append(Batch(self.path, dict(self.headers), body))
                    collector._arrived.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' * (tls is not None)}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def spans(self) -> list[Span]:
        """All spans received so far."""
        return [
            _read(span)
            for batch in tuple(self.batches)
            for resource in ExportTraceServiceRequest.FromString(batch.body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def wait_until(self, enough: Callable[[], bool]) -> None:
        """Wait until `enough` is true; checked at each received batch."""
        with self._arrived:
            assert self._arrived.wait_for(enough, LIMIT), f"only {len(self.spans)} spans came"
