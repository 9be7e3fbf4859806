"""Traces by OpenTelemetry: a span for each request and each call to Huawei. Off by default.

The library is imported only where it is used, because it needs memory. An exported span has only
the attributes that this module names: no path, query, header, body or text of an exception.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.observability.exchange import Exchange
from app.settings import TracingSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

SERVICE = "partner-gateway"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
EXPORTED = (
    "http.method",
    "http.route",
    "http.status_code",
    "gateway.account",
    "gateway.caller",
    "gateway.code",
    "gateway.operation",
    "gateway.outcome",
    "gateway.request_id",
    "gateway.upstream_code",
    "gateway.upstream_request_id",
)
# The library's newer names, which OTEL_SEMCONV_STABILITY_OPT_IN selects, by ours.
NEWER = {"http.request.method": "http.method", "http.response.status_code": "http.status_code"}
TIMEOUT = 5.0  # seconds for the collector to take a batch

_tracer: Tracer | None = None
_provider: TracerProvider | None = None


def start(settings: TracingSettings) -> TracerProvider | None:
    """Start tracing if the configuration names a collector. Returns the provider of tracers.

    This starts a thread: call it in the worker, after the fork.
    """
    global _tracer, _provider  # one process serves one gateway
    if settings.endpoint is None:
        return None
    import requests
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    session = requests.Session()
    session.trust_env = False  # ignore the environment's proxies and netrc
    exporter = OTLPSpanExporter(
        f"{settings.endpoint}/v1/traces",
        # Always set: without it the exporter would trust a file that the environment names.
        certificate_file=_authorities(settings),
        timeout=TIMEOUT,
        session=session,
    )
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(settings.share),
        # Resource.create would add the attributes in OTEL_RESOURCE_ATTRIBUTES.
        resource=Resource({"service.name": SERVICE}),
    )
    provider.add_span_processor(BatchSpanProcessor(_only_named(exporter)))
    _tracer, _provider = provider.get_tracer(SERVICE), provider
    return provider


def _authorities(settings: TracingSettings) -> str:
    """The certificate authorities to trust: a file, or the machine's, as for all connections."""
    machine = ssl.get_default_verify_paths()
    return str(settings.ca_file or machine.cafile or machine.capath or machine.openssl_cafile)


def close() -> None:
    """Export the remaining spans and stop tracing."""
    global _tracer, _provider
    if _provider is not None:
        _provider.shutdown()
    _tracer = _provider = None


def trace_id() -> str | None:
    """The trace id of the current request; None without tracing."""
    if _tracer is None:
        return None
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def note(**fields: Any) -> None:
    """Add fields to the span of the current request. A field that is None is left out."""
    if _tracer is None:
        return
    from opentelemetry import trace

    trace.get_current_span().set_attributes(_attributes(fields))


def add(exchange: Exchange) -> None:
    """Add a span for an upstream call that has just ended."""
    if _tracer is None:
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode

    ended = time.time_ns()
    fields = {
        "account": exchange.account,
        "operation": exchange.operation,
        "outcome": exchange.outcome,
        "upstream_code": exchange.upstream.code,
        "upstream_request_id": exchange.upstream.request_id,
    }
    span = _tracer.start_span(
        exchange.operation,
        kind=SpanKind.CLIENT,
        attributes=_attributes(fields),
        start_time=ended - int(exchange.seconds * 1e9),
    )
    if exchange.upstream.status is not None:
        span.set_attribute("http.status_code", exchange.upstream.status)
    if exchange.outcome != "OK":
        span.set_status(Status(StatusCode.ERROR))
    span.end(ended)


def _attributes(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {f"gateway.{name}": value for name, value in fields.items() if value is not None}


def _only_named(exporter: SpanExporter) -> SpanExporter:
    """An exporter that forwards only the attributes in EXPORTED."""
    from opentelemetry.sdk.trace.export import SpanExporter as Exporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    class NamedOnly(Exporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return exporter.export([_bare(span) for span in spans])

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            return exporter.force_flush(timeout_millis)

    return NamedOnly()


def _bare(span: ReadableSpan) -> ReadableSpan:
    from opentelemetry.sdk.trace import ReadableSpan as Span
    from opentelemetry.trace import SpanContext, SpanKind, Status

    named = {NEWER.get(key, key): value for key, value in (span.attributes or {}).items()}
    attributes = {key: value for key, value in named.items() if key in EXPORTED}
    name = span.name
    if span.kind is SpanKind.SERVER:
        # The library names a request without a route by its path, and callers can send any path.
        method = attributes.get("http.method")
        if method not in METHODS:
            method = attributes["http.method"] = "OTHER"
        name = f"{method} {attributes.get('http.route', 'no route')}"
    known = span.context
    # The trace state is left out: callers can send any text in this header.
    context = known and SpanContext(
        known.trace_id, known.span_id, known.is_remote, known.trace_flags
    )
    return Span(
        name=name,
        context=context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
