"""Traces the requests of an app; the spans are those of app.observability.tracing."""

from flask import Flask

from app.observability import tracing
from app.settings import TracingSettings

PROBES = r"^[a-z]+://[^/?#]*/(livez|readyz)([?#]|$)"


def init_app(app: Flask, settings: TracingSettings) -> None:
    """Trace an app's requests if the configuration names a collector."""
    provider = tracing.start(settings)
    if provider is None:
        return
    # The library is imported only where it is used, because it needs memory.
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    FlaskInstrumentor().instrument_app(  # type: ignore[no-untyped-call]
        app, tracer_provider=provider, excluded_urls=PROBES, enable_commenter=False
    )
