"""The metrics that are counted as things happen."""

from collections.abc import Set as AbstractSet

from prometheus_client import REGISTRY as REGISTRY
from prometheus_client import Counter, Gauge, Histogram

# The largest bucket is the longest duration of a request, so every quantile can be computed.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)

REQUESTS = Counter(
    "gateway_requests_total",
    "Requests answered, by operation of our contract, caller, HTTP status and error code",
    ["operation", "caller", "status", "code"],
)
FAILURES = Counter(
    "gateway_failures_total",
    "Problems answered, by who must act and error code",
    ["fault", "code"],
)
REQUEST_SECONDS = Histogram(
    "gateway_request_seconds", "Time to answer a request", ["operation"], buckets=_SECONDS
)
DOWNLOAD_SECONDS = Histogram(
    "gateway_download_seconds",
    "Time to answer a request for a download, until its last byte",
    ["operation"],
    buckets=(0.5, 1, 5, 15, 60, 300, 900, 3600),
)
OUTCOMES = Counter(
    "gateway_outcomes_total",
    "Outcomes of submissions, by backend: VERIFIED, IN_REVIEW, REJECTED, NOT_SUBMITTED, UNKNOWN",
    ["account", "backend", "status"],
)
REVIEW_READINESS = Counter(
    "gateway_review_readiness_total",
    "Submissions, by caller and by whether the review backend would accept them: yes, no",
    ["caller", "ready"],
)
UPSTREAM_CALLS = Counter(
    "gateway_upstream_calls_total",
    "Calls to Huawei, by account, operation, outcome (OK or our error code) and Huawei's code",
    ["account", "operation", "outcome", "code"],
)
UPSTREAM_TRIES = Histogram(
    "gateway_upstream_tries",
    "Tries of a call to Huawei on the network, for calls that were sent",
    ["account", "operation"],
    buckets=(1, 2, 3, 5, 10),
)
UPSTREAM_SECONDS = Histogram(
    "gateway_upstream_seconds",
    "Duration of a call to Huawei",
    ["account", "operation"],
    buckets=_SECONDS,
)
UNMAPPED_CODES = Counter(
    "gateway_upstream_unmapped_codes_total",
    "Huawei's error codes that no table of the gateway lists",
    ["operation", "code"],
)

CREDENTIAL_EVENT_NAMES = (
    "refused", "skewed", "locked", "dead", "suspended", "lifted", "adopted", "kept",
    "renewed", "renewal_failed",
)  # fmt: skip
CREDENTIAL_EVENTS = Counter(
    "gateway_credential_events_total",
    f"Events of an account's credentials: {', '.join(CREDENTIAL_EVENT_NAMES)}",
    ["account", "event"],
)
CLOCK_SKEW = Gauge(
    "gateway_clock_skew_seconds", "Huawei's clock minus ours, at the last measurement", ["account"]
)
STATE_DEGRADED = Gauge("gateway_state_degraded", "1 while the shared state cannot be reached")

QUEUE_DEPTH = Gauge(
    "gateway_queue_depth", "Calls that wait for Huawei's quota", ["account", "operation"]
)
QUEUE_SECONDS = Histogram(
    "gateway_queue_seconds",
    "Time a call waited for Huawei's quota",
    ["account", "operation"],
    buckets=_SECONDS,
)
WATCH_CALLS = Counter(
    "gateway_watch_calls_total",
    "Calls to Huawei that the gateway made by itself, to look at what it watches",
    ["account", "operation"],
)
BREAKER_OPEN = Gauge(
    "gateway_breaker_open", "1 while the circuit to Huawei is open or half-open", ["account"]
)

CREDIT_USED = Gauge(
    "gateway_credit_used_ratio",
    "Part of the partner's credit that is used, when it was last read",
    ["account"],
)
CREDIT_READ = Gauge(
    "gateway_credit_read_timestamp_seconds", "Time at which the credit was last read", ["account"]
)

FREEZES = Counter(
    "gateway_freezes_total",
    "Tries to freeze a customer at Huawei, by kind: ACCOUNT, ACCOUNT_AND_RESOURCES",
    ["account", "caller", "kind"],
)

EVENTS = Counter("gateway_events_total", "Events added to the feed", ["account", "type"])
EVENTS_WAITING = Gauge("gateway_events_waiting", "Requests that wait for an event")
EVENTS_BEHIND = Gauge(
    "gateway_events_behind_seconds",
    "Seconds from the last event that the caller has read to the newest, at its last read here",
    ["caller"],
)
EVENTS_READ = Gauge(
    "gateway_events_read_timestamp_seconds",
    "Time at which the caller last read events here",
    ["caller"],
)

WEBHOOK_TRIES = Counter(
    "gateway_webhook_tries_total",
    "Tries to deliver an event to a caller's webhook, by outcome: DELIVERED, REFUSED, UNREACHABLE, "
    "NO_ANSWER, NO_SECRET, FAILED",
    ["caller", "outcome"],
)
WEBHOOK_EVENTS_DROPPED = Counter(
    "gateway_webhook_events_dropped_total",
    "Events that were not delivered in three days, and gaps in the feed",
    ["caller"],
)

KEY_SET_FETCHES = Counter(
    "gateway_key_set_fetches_total",
    "Reads of the keys of an issuer of callers' tokens, by outcome: ok, failed",
    ["issuer", "outcome"],
)
AUDIT_FAILURES = Counter(
    "gateway_audit_failures_total", "Audit lines that could not be written to their file"
)


class CodeLabels:
    """Huawei's codes as labels, limited in number.

    Args:
        known: The codes that always are labels.
        most_unknown: The number of other codes that become labels; further codes become OTHER.
    """

    def __init__(self, known: AbstractSet[str], most_unknown: int) -> None:
        self._known = known
        self._most = most_unknown
        self._seen: set[str] = set()

    def of(self, code: str | None) -> str:
        """The label of a code: the code itself, `none` for None, or OTHER."""
        if code is None:
            return "none"
        if code in self._known:
            return code
        if code not in self._seen and len(self._seen) >= self._most:
            return "OTHER"
        self._seen.add(code)
        return code
