"""A traced gateway, and the requests of its tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.collector import Collector, Span
from tests.support.gateway import PERSON, bearer, configuration
from tests.support.gunicorn_process import ServedGateway

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
RULE = "/v1/customers/<customer_id:customer_id>"


def traceparent(trace: str = TRACE, sampled: bool = True) -> dict[str, str]:
    return {"traceparent": f"00-{trace}-{PARENT}-0{int(sampled)}"}


def submit(gateway: ServedGateway, customer: str, **headers: str) -> int:
    path = f"/v1/customers/{customer}/verifications/individual"
    return gateway.request("POST", path, json=PERSON, headers=bearer() | headers).status_code


class Traced:
    """A traced gateway and its collector."""

    def __init__(self, gateway: ServedGateway, collector: Collector) -> None:
        self.gateway = gateway
        self.collector = collector
        self._number = 0

    def spans(self, count: int, trace: str) -> list[Span]:
        """The spans of a trace; waits until all have arrived."""

        def of_it() -> list[Span]:
            return [span for span in self.collector.spans if span.trace_id == trace]

        self.collector.wait_until(lambda: len(of_it()) >= count)
        return sorted(of_it(), key=lambda span: span.kind)

    def line(self, request_id: str) -> dict[str, Any]:
        """The log line of a request."""
        return self.gateway.line(event="request", request_id=request_id)

    def trace(self) -> str:
        """A new trace id."""
        self._number += 1
        return f"{self._number:032x}"


def configured(folder: Path, upstream: str, collector: str, **settings: Any) -> dict[str, Any]:
    document = configuration(folder, upstream)
    document["tracing"] = {"endpoint": collector, **settings}
    document["accounts"]["default"]["reliability"]["tries"] = 3
    return document
