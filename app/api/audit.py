"""The audit trail: one line at the end of a request that writes, on its own logger.

The line before a write is sent is in `record`: if it is alone, the process ended in between. No
line holds a personal value.
"""

import logging

from flask import Response, g

from app.api.record import Record
from app.observability.logs import AUDIT, event

_log = logging.getLogger(AUDIT)


def write(response: Response) -> Response:
    """The hook that writes a line at the end of each request that writes, refused ones included."""
    line: Record = g.record
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
        freeze=line.freeze,
        outcome=line.error_code or line.status or "DONE",
        status=response.status_code,
        upstream_code=upstream.code,
        upstream_request_id=upstream.request_id,
        replayed=line.replayed,
        reconciled=line.reconciled,
    )
    return response
