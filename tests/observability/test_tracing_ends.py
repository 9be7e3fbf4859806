"""Traces when the collector fails or the gateway ends, and the sampling decision."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from flask.testing import FlaskClient
from pydantic import ValidationError

from app import create_app
from app.observability import tracing
from app.settings import Settings, TracingSettings
from demo.local import free_port
from tests.support.collector import Collector
from tests.support.gateway import PERSON, bearer
from tests.support.gunicorn_process import ServedGateway
from tests.support.sandbox_driver import SandboxDriver
from tests.support.traced import RULE, TRACE, configured, submit, traceparent


@pytest.fixture
def in_process(
    config: dict[str, Any],
    sandbox: SandboxDriver,  # noqa: ARG001 - it is behind
) -> Iterator[tuple[FlaskClient, Collector]]:
    with Collector() as collector:
        config["tracing"] = {"endpoint": collector.url}
        yield create_app(Settings.model_validate(config)).test_client(), collector
        tracing.close()


def test_closing_tracing_exports_the_remaining_spans(
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


def test_the_remaining_spans_are_exported_when_the_gateway_ends(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    with (
        Collector() as collector,
        ServedGateway(tmp_path, configured(tmp_path, sandbox.url, collector.url)) as gateway,
    ):
        assert submit(gateway, "trace-7", **traceparent()) == 201
        assert gateway.end() == 0
        assert [span.trace_id for span in collector.spans] == [TRACE, TRACE]


def test_environment_variables_do_not_change_the_exported_attributes(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    environment: dict[str, str | None] = {
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
        "OTEL_RESOURCE_ATTRIBUTES": "person=ZHANG",
        "OTEL_SERVICE_NAME": "ZHANG",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "/nonexistent",
    }
    with Collector() as collector:
        document = configured(tmp_path, sandbox.url, collector.url)
        with ServedGateway(tmp_path, document, environment=environment) as gateway:
            assert submit(gateway, "trace-10", **traceparent()) == 201
            assert gateway.end() == 0
        _, server = sorted(collector.spans, key=lambda span: span.kind)
        assert server.name == f"POST {RULE}/verifications/individual"
        assert server.attributes["http.method"] == "POST"
        assert server.attributes["http.status_code"] == 201
        assert server.attributes.keys() <= set(tracing.EXPORTED)
        assert b"ZHANG" not in b"".join(batch.body for batch in collector.batches)


@pytest.mark.parametrize("trusted", ["ca_file", "machine", None])
def test_an_https_collector_is_verified_by_the_configured_or_the_machines_authority(
    config: dict[str, Any],
    sandbox: SandboxDriver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trusted: str | None,
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Collector(tls=context) as collector:
        config["tracing"] = {"endpoint": collector.url}
        if trusted == "ca_file":
            config["tracing"]["ca_file"] = str(tmp_path / "ca.pem")
        if trusted == "machine":
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        client = create_app(Settings.model_validate(config)).test_client()
        path = "/v1/customers/trace-11/verifications/individual"
        assert client.post(path, json=PERSON, headers=bearer()).status_code == 201
        assert len(sandbox.requests()) == 1
        tracing.close()
        assert len(collector.spans) == (2 if trusted else 0)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"endpoint": "http://collector:4318"}, "plain http requires `insecure`"),
        ({"endpoint": "http://collector:4318", "insecure": True}, None),
        ({"endpoint": "http://[::1]:4318"}, None),
        ({"endpoint": "https://collector:4318", "ca_file": "/ca.pem"}, None),
        (
            {"endpoint": "http://127.0.0.1:4318", "ca_file": "/ca.pem"},
            "requires an https `endpoint`",
        ),
        ({"ca_file": "/ca.pem"}, "requires `endpoint`"),
    ],
)
def test_plain_http_to_a_remote_collector_is_refused_unless_allowed(
    section: dict[str, Any], said: str | None
) -> None:
    if said is None:
        assert TracingSettings.model_validate(section).endpoint == section["endpoint"]
    else:
        with pytest.raises(ValidationError, match=said):
            TracingSettings.model_validate(section)


def test_a_share_of_0_traces_only_requests_that_callers_sample(
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
    """A collector that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _failing() -> Iterator[str]:
    with Collector(status=500) as collector:
        yield collector.url


def _absent() -> Iterator[str]:
    yield f"http://127.0.0.1:{free_port()}"


@pytest.mark.parametrize("collector", [_silent, _failing, _absent])
def test_a_failing_collector_fails_no_request_and_logs_nothing_personal(
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
