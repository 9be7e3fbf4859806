"""The audit trail: one line a write, on its own logger; never a personal value."""

import logging
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, current_app, g, request

from app.authentication import requirement
from app.observability import record
from app.observability.logs import AUDIT, event

_log = logging.getLogger(AUDIT)


def _writes() -> bool:
    """Whether the request asked for something to be written; a mere check does not."""
    view = current_app.view_functions.get(request.endpoint or "")
    needed = requirement(view) if view else None
    return needed is not None and needed.endswith(":write") and not record.current().check


def _end(response: Response) -> Response:
    if not _writes():
        return response
    line = record.current()
    upstream = line.upstream
    customer: Mapping[str, Any] = request.view_args or {}
    event(
        _log,
        logging.INFO,
        "write",
        request_id=line.request_id,
        caller=g.get("caller"),
        account=g.get("account"),
        customer_id=customer.get("customer_id"),
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
