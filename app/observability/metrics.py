"""What is counted, and the port that serves it to Prometheus."""

from prometheus_client import Counter, Gauge, Histogram, start_http_server

REQUESTS = Counter(
    "gateway_requests_total",
    "Requests answered, by operation of our contract, caller, status and error code",
    ["operation", "caller", "status", "code"],
)
REQUEST_SECONDS = Histogram("gateway_request_seconds", "Time to answer a request", ["operation"])
UPSTREAM_CALLS = Counter(
    "gateway_upstream_calls_total",
    "Calls to Huawei, by account, operation and outcome",
    ["account", "operation", "outcome"],
)
UPSTREAM_SECONDS = Histogram(
    "gateway_upstream_seconds", "Time of a call to Huawei", ["account", "operation"]
)
UNMAPPED_CODES = Counter(
    "gateway_upstream_unmapped_codes_total",
    "Error codes of Huawei's that no table knows",
    ["operation", "code"],
)

CREDENTIAL_EVENTS = Counter(
    "gateway_credential_events_total",
    "What happened to a credential of an account: accepted, refused, locked, adopted, kept, "
    "renewed, renewal_failed",
    ["account", "event"],
)
CLOCK_SKEW = Gauge(
    "gateway_clock_skew_seconds", "Huawei's clock less ours, at the last answer", ["account"]
)
STATE_DEGRADED = Gauge("gateway_state_degraded", "1 while the shared state cannot be reached")

QUEUE_DEPTH = Gauge(
    "gateway_queue_depth", "Requests that wait for Huawei's quota", ["account", "operation"]
)
QUEUE_SECONDS = Histogram(
    "gateway_queue_seconds", "Time a call waited for Huawei's quota", ["account", "operation"]
)
BREAKER_OPEN = Gauge("gateway_breaker_open", "1 while calls to Huawei are paused", ["account"])


def serve(port: int) -> None:
    """Serve /metrics on a port of its own, in a thread of its own."""
    start_http_server(port)
