"""The record of a request: its id, its facts, its log line, its audit trail and its metrics.

The audit trail has a line before each write is sent, and a line at the end of each request that
writes: if the first is alone, the process ended in between. No line holds a personal value.
"""

import logging
import re
import time
import uuid
from dataclasses import dataclass, field
from functools import partial

from flask import Response, g, has_request_context, request

from app.api.transfer import Transfer
from app.billing.answers import LIST_REFUNDS, SHOW_ORDER
from app.errors import ErrorCode, Upstream
from app.huawei import codes, iam, obs_answers
from app.huawei.review_result import PROBE, READ_RESULT
from app.observability import metrics, tracing
from app.observability.exchange import Exchange, Sending
from app.observability.logs import AUDIT, event, logger
from app.verification.backends import legacy, review

_log = logger("request")
_upstream_log = logger("upstream")
_audit_log = logging.getLogger(AUDIT)
# Calls that only prepare a request; `last` ignores them.
_PREPARING = frozenset({PROBE.name, iam.OPERATION})
_OPERATIONS = (legacy.PUSH, READ_RESULT, *review.SUBMIT.values(), SHOW_ORDER, LIST_REFUNDS)
_CODES = metrics.CodeLabels(
    codes.KNOWN.union(
        obs_answers.CODES, {obs_answers.MISSING}, *(operation.errors for operation in _OPERATIONS)
    ),
    most_unknown=50,
)
_PROBES = frozenset({"livez", "readyz"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass(slots=True)
class Record:
    """What is known of a request: `g.record` while the request is under way."""

    request_id: str
    begun: float = field(default_factory=time.monotonic)
    operation: str = "none"
    method: str = "OTHER"
    customer_id: str | None = None
    writes: bool = False  # whether the method of the operation writes
    caller: str | None = None
    account: str | None = None
    error_code: str | None = None
    backend: str | None = None
    status: str | None = None  # of the verification, or of the customer's association
    check: bool = False  # `validate_only`: the gateway sends nothing
    freeze: str | None = None  # the kind of a freeze
    unfreeze: bool | None = None  # True for a budget that unfreezes the customer as well
    replayed: bool = False
    reconciled: bool = False
    exchanges: list[Exchange] = field(default_factory=list)
    transfer: Transfer | None = None

    @property
    def last(self) -> Exchange | None:
        """The last write; without a write, the last exchange that does not only prepare.

        A read after a lost write does not hide the write.
        """
        about = [one for one in self.exchanges if one.operation not in _PREPARING]
        writes = [one for one in about if one.writes]
        return next(reversed(writes or about), None)

    @property
    def upstream(self) -> Upstream:
        """Huawei's answer in the last exchange."""
        last = self.last
        return last.upstream if last else Upstream()


def observe(exchange: Sending | Exchange) -> None:
    """Count an upstream call, and add it to the record of the request under way if there is one.

    A write that is about to be sent gets a line of the audit trail.
    """
    if isinstance(exchange, Sending):
        if has_request_context():
            _audit_sending(exchange)
        return
    if has_request_context():
        g.record.exchanges.append(exchange)
    tracing.add(exchange)
    code = _CODES.of(exchange.upstream.code)
    metrics.UPSTREAM_CALLS.labels(
        exchange.account, exchange.operation, exchange.outcome, code
    ).inc()
    metrics.UPSTREAM_SECONDS.labels(exchange.account, exchange.operation).observe(exchange.seconds)
    if exchange.outcome == ErrorCode.UPSTREAM_UNMAPPED.name:
        metrics.UNMAPPED_CODES.labels(exchange.operation, code).inc()
        event(
            _upstream_log,
            logging.WARNING,
            "Huawei answered with a code that no table has",
            account=exchange.account,
            operation=exchange.operation,
            upstream_code=exchange.upstream.code,
            upstream_status=exchange.upstream.status,
            upstream_request_id=exchange.upstream.request_id,
        )


def _audit_sending(sending: Sending) -> None:
    record: Record = g.record
    event(
        _audit_log,
        logging.INFO,
        "sending",
        request_id=record.request_id,
        caller=record.caller,
        account=sending.account,
        customer_id=record.customer_id,
        operation=record.operation,
        freeze=record.freeze,
        unfreeze=record.unfreeze,
        upstream_operation=sending.operation,
    )


def audit(response: Response) -> Response:
    """The hook that ends the audit trail of a request that writes; refused ones are included."""
    record: Record = g.record
    if not record.writes or record.check:  # a mere check writes nothing
        return response
    upstream = record.upstream
    event(
        _audit_log,
        logging.INFO,
        "write",
        request_id=record.request_id,
        caller=record.caller,
        account=record.account,
        customer_id=record.customer_id,
        operation=record.operation,
        backend=record.backend,
        freeze=record.freeze,
        unfreeze=record.unfreeze,
        outcome=record.error_code or record.status or "DONE",
        status=response.status_code,
        upstream_code=upstream.code,
        upstream_request_id=upstream.request_id,
        replayed=record.replayed,
        reconciled=record.reconciled,
    )
    return response


def create_series() -> None:
    """Create the series of every failure at 0, so that `increase()` sees the first event."""
    for code in ErrorCode:
        metrics.FAILURES.labels(code.fault.value, code.name)


def begin() -> None:
    """The hook that starts a record before each request."""
    asked = request.headers.get("X-Request-Id", "")
    method = request.method
    g.record = Record(
        request_id=asked if _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4()),
        operation=(request.endpoint or "none").rpartition(".")[2],
        # Callers can send any text as a method.
        method=method if method in tracing.METHODS else "OTHER",
        customer_id=(request.view_args or {}).get("customer_id"),
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


def end(response: Response) -> Response:
    """The hook that logs and counts each request, and adds the request id to the answer.

    A request whose answer has any length is logged and counted at the end of the answer.
    """
    record: Record = g.record
    response.headers["X-Request-Id"] = record.request_id
    if record.transfer is None:
        _finish(record, response.status_code)
    else:
        # At the end of the answer the span of the request has ended.
        finish = partial(_finish, record, response.status_code, _noted(record))
        record.transfer.recorded = finish
    return response


def _noted(record: Record) -> str | None:
    """Add the facts to the span of the request. Returns the trace id."""
    tracing.note(
        request_id=record.request_id,
        caller=record.caller,
        account=record.account,
        operation=record.operation,
        code=record.error_code,
    )
    return tracing.trace_id()


def _finish(record: Record, status: int, trace_id: str | None = None) -> None:
    last, upstream, transfer = record.last, record.upstream, record.transfer
    seconds = time.monotonic() - record.begun
    metrics.REQUESTS.labels(
        record.operation, record.caller or "none", str(status), record.error_code or "none"
    ).inc()
    if record.error_code and record.operation not in _PROBES:  # a probe is not a caller's request
        failure = ErrorCode[record.error_code]
        metrics.FAILURES.labels(failure.fault.value, failure.name).inc()
    duration = metrics.REQUEST_SECONDS if transfer is None else metrics.DOWNLOAD_SECONDS
    duration.labels(record.operation).observe(seconds)
    milliseconds = _milliseconds(seconds)
    waited = _milliseconds(sum(one.seconds for one in record.exchanges)) or None
    tries = sum(one.operation == last.operation for one in record.exchanges) if last else None
    trace_id = trace_id or _noted(record)
    event(
        _log,
        logging.DEBUG if record.operation in _PROBES and status < 400 else logging.INFO,
        "request",
        request_id=record.request_id,
        trace_id=trace_id,
        caller=record.caller,
        account=record.account,
        method=record.method,
        operation=record.operation,
        customer_id=record.customer_id,
        status=status,
        code=record.error_code,
        backend=record.backend,
        milliseconds=milliseconds,
        upstream_code=upstream.code,
        upstream_status=upstream.status,
        upstream_request_id=upstream.request_id,
        upstream_milliseconds=waited,
        tries=tries,
        bytes=transfer.bytes if transfer else None,
        complete=transfer.complete if transfer else None,
    )
