"""Traces: off unless asked for; one span a request and one a try upstream, and little in them."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from app import create_app
from app.observability import tracing
from app.settings import Settings
from demo.local import PROJECT, free_port
from tests.gateway import PERSON, bearer, configuration
from tests.gunicorn_process import LIMIT, ServedGateway
from tests.observability.collector import Collector, Span
from tests.sandbox_driver import SandboxDriver

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
RULE = "/v1/customers/<customer_id:customer_id>"


def traceparent(trace: str = TRACE, sampled: bool = True) -> dict[str, str]:
    return {"traceparent": f"00-{trace}-{PARENT}-0{int(sampled)}"}


def submit(gateway: ServedGateway, customer: str, **headers: str) -> int:
    path = f"/v1/customers/{customer}/verifications/individual"
    return gateway.request("POST", path, json=PERSON, headers=bearer() | headers).status_code


class Traced:
    """A gateway that is traced, and its collector."""

    def __init__(self, gateway: ServedGateway, collector: Collector) -> None:
        self.gateway = gateway
        self.collector = collector
        self._number = 0

    def spans(self, count: int, trace: str) -> list[Span]:
        """The spans of a trace, once all are there."""

        def of_it() -> list[Span]:
            return [span for span in self.collector.spans if span.trace_id == trace]

        self.collector.wait_until(lambda: len(of_it()) >= count)
        return sorted(of_it(), key=lambda span: span.kind)

    def line(self, request_id: str) -> dict[str, Any]:
        """The log line of a request."""
        lines = [line for line in self.gateway.lines if line["event"] == "request"]
        return next(line for line in lines if line["request_id"] == request_id)

    def trace(self) -> str:
        """The id of a trace that nobody used yet."""
        self._number += 1
        return f"{self._number:032x}"


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    with Collector() as collector:
        document = configured(folder, sandbox_url, collector.url)
        with ServedGateway(folder, document) as gateway:
            yield Traced(gateway, collector)


def configured(folder: Path, upstream: str, collector: str, **settings: Any) -> dict[str, Any]:
    document = configuration(folder, upstream)
    document["tracing"] = {"endpoint": collector, **settings}
    document["accounts"]["default"]["reliability"]["tries"] = 3
    return document


def test_without_a_collector_nothing_of_the_library_is_imported(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(configuration(tmp_path, sandbox.url)))
    program = (
        "import sys, app\n"
        "client = app.create_app().test_client()\n"
        f"answer = client.post('/v1/customers/c/verifications/individual', json={PERSON!r},\n"
        f"    headers={bearer() | traceparent()!r})\n"
        "parts = ('exporter', 'instrumentation', 'proto', 'sdk.trace')\n"
        "names = tuple(f'opentelemetry.{part}' for part in parts)\n"
        "print(answer.status_code, [name for name in sys.modules if name.startswith(names)])\n"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env={"GATEWAY_CONFIG": str(path)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    assert done.stdout == "201 []\n"
    assert "trace_id" not in done.stderr


def test_a_trace_is_continued_to_huawei_but_not_told_to_it(
    traced: Traced, sandbox: SandboxDriver
) -> None:
    assert (
        submit(traced.gateway, "trace-1", **traceparent(), **{"X-Request-Id": "request-0001"})
        == 201
    )
    client, server = traced.spans(2, TRACE)
    assert (server.kind, server.parent_id) == ("server", PARENT)
    assert (client.kind, client.parent_id) == ("client", server.span_id)
    assert server.name == f"POST {RULE}/verifications/individual"
    assert server.attributes == {
        "http.method": "POST",
        "http.route": f"{RULE}/verifications/individual",
        "http.status_code": 201,
        "gateway.account": "default",
        "gateway.caller": "writer",
        "gateway.operation": "submit_individual",
        "gateway.request_id": "request-0001",
    }
    assert client.name == "verified_info"
    assert client.attributes.pop("gateway.upstream_request_id")
    assert client.attributes == {
        "http.status_code": 200,
        "gateway.account": "default",
        "gateway.operation": "verified_info",
        "gateway.outcome": "OK",
        "gateway.upstream_code": "CBC.0000",
    }
    assert not server.failed
    assert not client.failed
    (sent,) = sandbox.requests()
    told = {name.lower() for name in sent["headers"]}
    assert not told & {"traceparent", "tracestate", "baggage", "b3"}
    assert TRACE not in str(sent)
    assert traced.line("request-0001")["trace_id"] == TRACE


def test_each_try_is_a_span_within_that_of_the_request(
    traced: Traced, sandbox: SandboxDriver
) -> None:
    trace = traced.trace()
    sandbox.fault("verified-info", "throttled", count=2)
    assert submit(traced.gateway, "trace-2", **traceparent(trace), Prefer="wait=20") == 201
    *clients, server = traced.spans(4, trace)
    outcomes = [client.attributes["gateway.outcome"] for client in clients]
    assert sorted(outcomes) == ["OK", "UPSTREAM_THROTTLED", "UPSTREAM_THROTTLED"]
    assert {client.parent_id for client in clients} == {server.span_id}
    assert [client.failed for client in clients].count(True) == 2
    assert len(sandbox.requests()) == 3
    for client in clients:
        inside = server.whole.start_time_unix_nano <= client.whole.start_time_unix_nano
        assert inside
        assert client.whole.end_time_unix_nano <= server.whole.end_time_unix_nano


def test_without_a_traceparent_a_trace_is_begun(traced: Traced, sandbox: SandboxDriver) -> None:
    assert submit(traced.gateway, "trace-3", **{"X-Request-Id": "request-0003"}) == 201
    client, server = traced.spans(2, traced.line("request-0003")["trace_id"])
    assert (server.parent_id, client.parent_id) == ("", server.span_id)
    assert len(sandbox.requests()) == 1


def test_a_caller_that_does_not_sample_is_followed(traced: Traced, sandbox: SandboxDriver) -> None:
    unwanted, wanted = traced.trace(), traced.trace()
    submit(traced.gateway, "trace-4", **traceparent(unwanted, sampled=False))
    submit(traced.gateway, "trace-5", **traceparent(wanted))
    traced.spans(2, wanted)  # which came later
    assert traced.spans(0, unwanted) == []
    assert len(sandbox.requests()) == 2


@pytest.mark.parametrize(
    ("method", "path", "name", "status"),
    [
        ("GET", "/v1/nothing/ZHANG SAN", "GET no route", 404),
        ("BREW", "/v1/ZHANG-SAN", "OTHER no route", 404),
        ("BREW", "/v1/errors", "OTHER no route", 405),
        ("GET", "/v1/customers/c/verification", f"GET {RULE}/verification", 401),
    ],
)
def test_a_refused_request_is_traced_by_a_name_that_callers_cannot_choose(
    traced: Traced, method: str, path: str, name: str, status: int
) -> None:
    trace = traced.trace()
    answer = traced.gateway.request(method, path, headers=traceparent(trace))
    assert answer.status_code == status
    (server,) = traced.spans(1, trace)
    assert server.name == name
    assert server.attributes["http.status_code"] == status
    assert server.attributes["gateway.code"] == answer.json()["code"]
    assert "ZHANG" not in str(server.whole)


def test_of_a_span_only_what_is_listed_is_exported(traced: Traced, sandbox: SandboxDriver) -> None:
    trace = traced.trace()
    path = "/v1/customers/trace-6/verification?name=ZHANG"
    headers = bearer() | traceparent(trace) | {"User-Agent": "ZHANG", "tracestate": "a=ZHANG"}
    headers |= {"baggage": "name=ZHANG", "Cookie": "ZHANG", "X-Forwarded-For": "ZHANG"}
    sandbox.fault("result", "code", code="CBC.0100", message="ZHANG")
    traced.gateway.request("GET", path, headers=headers)
    for span in traced.spans(2, trace):
        assert span.attributes.keys() <= set(tracing.EXPORTED)
        assert not span.whole.events
        assert not span.whole.links
        assert not span.whole.trace_state
        assert not span.whole.status.message
    assert "ZHANG" not in str(traced.collector.batches)
    assert {batch.path for batch in traced.collector.batches} == {"/v1/traces"}


def test_probes_are_not_traced(traced: Traced) -> None:
    probes = [traced.trace(), traced.trace()]
    for path, trace in zip(("/livez", "/readyz"), probes, strict=True):
        assert traced.gateway.request("GET", path, headers=traceparent(trace)).ok
    later = traced.trace()
    traced.gateway.request("GET", "/v1/errors", headers=traceparent(later))
    traced.spans(1, later)
    assert not [span for span in traced.collector.spans if span.trace_id in probes]


@pytest.fixture
def in_process(
    config: dict[str, Any],
    sandbox: SandboxDriver,  # noqa: ARG001 - it is behind
) -> Iterator[tuple[FlaskClient, Collector]]:
    with Collector() as collector:
        config["tracing"] = {"endpoint": collector.url}
        yield create_app(Settings.model_validate(config)).test_client(), collector
        tracing.close()


def test_closing_hands_over_what_is_left_and_ends_tracing(
    in_process: tuple[FlaskClient, Collector],
) -> None:
    client, collector = in_process
    path = "/v1/customers/trace-9/verifications/individual"
    headers = bearer() | traceparent()
    assert client.post(path, json=PERSON, headers=headers).status_code == 201
    assert client.open("/v1/nothing", method="BREW", headers=traceparent()).status_code == 404
    code = "/v1/customers/code-CBC-5002/verification"
    assert client.get(code, headers=headers).status_code == 404
    assert collector.spans == []
    tracing.close()
    assert sorted((span.name, span.failed) for span in collector.spans) == [
        (f"GET {RULE}/verification", False),
        ("OTHER no route", False),
        (f"POST {RULE}/verifications/individual", False),
        ("read_result", True),
        ("verified_info", False),
    ]
    assert all(span.attributes.keys() <= set(tracing.EXPORTED) for span in collector.spans)
    assert tracing.trace_id() is None
    tracing.close()


def test_what_is_left_is_handed_over_at_the_end(tmp_path: Path, sandbox: SandboxDriver) -> None:
    with (
        Collector() as collector,
        ServedGateway(tmp_path, configured(tmp_path, sandbox.url, collector.url)) as gateway,
    ):
        assert submit(gateway, "trace-7", **traceparent()) == 201
        assert gateway.end() == 0
        assert [span.trace_id for span in collector.spans] == [TRACE, TRACE]


def test_a_share_of_none_traces_only_what_callers_ask_for(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    with Collector() as collector:
        document = configured(tmp_path, sandbox.url, collector.url, share=0.0)
        with ServedGateway(tmp_path, document) as gateway:
            assert submit(gateway, "trace-8") == 201
            assert submit(gateway, "trace-9", **traceparent()) == 201
            assert gateway.end() == 0
        assert [span.trace_id for span in collector.spans] == [TRACE, TRACE]


def _silent() -> Iterator[str]:
    """A collector that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _failing() -> Iterator[str]:
    with Collector(status=500) as collector:
        yield collector.url


def _absent() -> Iterator[str]:
    yield f"http://127.0.0.1:{free_port()}"


@pytest.mark.parametrize("collector", [_silent, _failing, _absent])
def test_a_collector_that_fails_hurts_no_request_and_tells_nothing(
    tmp_path: Path, sandbox: SandboxDriver, collector: Any
) -> None:
    for url in collector():
        with ServedGateway(tmp_path, configured(tmp_path, sandbox.url, url)) as gateway:
            for number in range(3):
                assert submit(gateway, f"trace-{number}", **traceparent()) == 201
            assert gateway.end() == 0
        assert len([line for line in gateway.lines if line["event"] == "request"]) >= 3
        for word in ("ZHANG", "E1234567", "writer-key", "Traceback"):
            assert word not in gateway.text
