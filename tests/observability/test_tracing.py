"""Traces: off by default; one span per request and per upstream try, with few attributes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from app.observability import tracing
from demo.local import PROJECT
from tests.support.collector import Collector
from tests.support.gateway import PERSON, bearer, configuration
from tests.support.gunicorn_process import LIMIT, ServedGateway
from tests.support.sandbox_driver import SandboxDriver
from tests.support.traced import PARENT, RULE, TRACE, Traced, configured, submit, traceparent


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    with Collector() as collector:
        document = configured(folder, sandbox_url, collector.url)
        # Its exporter waits for 5 s by default.
        soon: dict[str, str | None] = {"OTEL_BSP_SCHEDULE_DELAY": "100"}  # milliseconds
        with ServedGateway(folder, document, environment=soon) as gateway:
            yield Traced(gateway, collector)


def test_without_a_collector_opentelemetry_is_not_imported(
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


def test_a_call_to_huawei_is_traced_but_sends_no_trace_headers(
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
    names = {name.lower() for name in sent["headers"]}
    assert not names & {"traceparent", "tracestate", "baggage", "b3"}
    assert TRACE not in str(sent)
    assert traced.line("request-0001")["trace_id"] == TRACE


def test_each_try_is_a_child_span_of_the_request(traced: Traced, sandbox: SandboxDriver) -> None:
    trace = traced.trace()
    sandbox.fault("verified-info", "throttled", count=2, retry_after=1)
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


def test_a_request_without_a_traceparent_starts_a_trace(
    traced: Traced, sandbox: SandboxDriver
) -> None:
    assert submit(traced.gateway, "trace-3", **{"X-Request-Id": "request-0003"}) == 201
    client, server = traced.spans(2, traced.line("request-0003")["trace_id"])
    assert (server.parent_id, client.parent_id) == ("", server.span_id)
    assert len(sandbox.requests()) == 1


def test_the_sampling_decision_of_the_caller_is_kept(
    traced: Traced, sandbox: SandboxDriver
) -> None:
    unwanted, wanted = traced.trace(), traced.trace()
    submit(traced.gateway, "trace-4", **traceparent(unwanted, sampled=False))
    submit(traced.gateway, "trace-5", **traceparent(wanted))
    traced.spans(2, wanted)  # its spans came later
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
def test_the_span_name_of_a_refused_request_is_not_chosen_by_the_caller(
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


def test_only_listed_attributes_of_a_span_are_exported(
    traced: Traced, sandbox: SandboxDriver
) -> None:
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


def test_health_probes_are_not_traced(traced: Traced) -> None:
    probes = [traced.trace(), traced.trace()]
    for path, trace in zip(("/livez", "/readyz"), probes, strict=True):
        assert traced.gateway.request("GET", path, headers=traceparent(trace)).ok
    later = traced.trace()
    traced.gateway.request("GET", "/v1/errors?a=/livez", headers=traceparent(later))
    traced.spans(1, later)
    assert not [span for span in traced.collector.spans if span.trace_id in probes]
