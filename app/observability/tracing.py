"""Traces by OpenTelemetry: a span for each request and each call of Huawei. Off by default.

The library is imported only where it is used, for it costs memory. Of a span no more is exported
than what is named here: no path, query, header, body or text of an exception.
"""

from __future__ import annotations

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

    It starts a thread, so that it has to run in the worker.
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
    session.trust_env = False  # neither a proxy nor a netrc by accident
    exporter = OTLPSpanExporter(
        f"{settings.endpoint}/v1/traces",
        # Always named, so that no file of the environment is trusted by accident.
        certificate_file=str(settings.ca_file or requests.utils.DEFAULT_CA_BUNDLE_PATH),
        timeout=TIMEOUT,
        session=session,
    )
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(settings.share),
        # Not Resource.create, which adds whatever OTEL_RESOURCE_ATTRIBUTES holds.
        resource=Resource({"service.name": SERVICE}),
    )
    provider.add_span_processor(BatchSpanProcessor(_only_named(exporter)))
    _tracer, _provider = provider.get_tracer(SERVICE), provider
    return provider


def close() -> None:
    """Hand over the spans that are left and trace no more."""
    global _tracer, _provider
    if _provider is not None:
        _provider.shutdown()
    _tracer = _provider = None


def trace_id() -> str | None:
    """The id of the trace that the request under way belongs to, if there is one."""
    if _tracer is None:
        return None
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def note(**fields: Any) -> None:
    """Add what is known of the request to its span; a field that is None is left out."""
    if _tracer is None:
        return
    from opentelemetry import trace

    trace.get_current_span().set_attributes(_attributes(fields))


def add(exchange: Exchange) -> None:
    """Add a span for a try upstream that has just ended."""
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
    """An exporter that hands on what EXPORTED names of a span, and nothing else."""
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
        # The library names a request without a route by its path, which can hold anything.
        method = attributes.get("http.method")
        if method not in METHODS:
            method = attributes["http.method"] = "OTHER"
        name = f"{method} {attributes.get('http.route', 'no route')}"
    known = span.context
    # Without the trace state, a header in which callers send what they like.
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
