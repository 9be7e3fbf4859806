"""The audit trail: one line a write, on its own logger; never a personal value."""

import logging

from flask import Flask, Response

from app.api import record
from app.observability.logs import AUDIT, event

_log = logging.getLogger(AUDIT)


def _end(response: Response) -> Response:
    line = record.current()
    if not line.writes or line.check:  # a mere check writes nothing
        return response
    upstream = line.upstream
    event(
        _log,
        logging.INFO,
        "write",
        request_id=line.request_id,
        caller=line.caller,
        account=line.account,
        customer_id=line.customer_id,
        operation=line.operation,
        backend=line.backend,
        outcome=line.error_code or line.status or "DONE",
        status=response.status_code,
        upstream_code=upstream.code,
        upstream_request_id=upstream.request_id,
        replayed=line.replayed,
        reconciled=line.reconciled,
    )
    return response


def init_app(app: Flask) -> None:
    """Write a line at the end of each request that writes, refused ones included."""
    app.after_request(_end)
