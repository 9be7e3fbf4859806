"""Reads `Prefer` and `Idempotency-Key` of a request, and builds the write that it asks for."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import g, request

from app.api.record import Record
from app.errors import ErrorCode, GatewayError
from app.fields import Rule
from app.huawei.pacing.deadline import WRITE, Errand
from app.writes import Write

MAX_WAIT = 25.0  # seconds, the last read included: a shutdown leaves a request 30
_WAIT = re.compile(r"(?i)(?:^|,)\s*wait\s*=\s*\"?(\d+)\"?\s*(?:$|[,;])")
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_KEY_RULE = Rule("KEY", "must be 1 to 255 printable ASCII characters")


def wait_preference() -> float | None:
    """Return the seconds of `Prefer: wait=N` (RFC 7240), at most 25; None without it."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(float(found[1]), MAX_WAIT) if found else None


def idempotency_key() -> str | None:
    """The Idempotency-Key of the request; None if it has none.

    Raises:
        GatewayError: VALIDATION_FAILED.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        errors = (_KEY_RULE.of("Idempotency-Key"),)
        raise GatewayError(ErrorCode.VALIDATION_FAILED, errors=errors)
    return key


def requested(
    kind: str, subject: str, body: Mapping[str, Any], *, key_required: bool = False
) -> Write:
    """The write that the request asks for.

    Args:
        kind: What it writes.
        subject: The customer.
        body: What a repeat must have in common with it.
        key_required: Whether the request must have an Idempotency-Key.

    Raises:
        GatewayError: VALIDATION_FAILED for a malformed Idempotency-Key; BAD_REQUEST without a
            required one.
    """
    key = idempotency_key()
    if key is None and key_required:
        text = "Send an `Idempotency-Key`: without one, a lost answer could not be found again."
        raise GatewayError(ErrorCode.BAD_REQUEST, text)
    wait = wait_preference()
    errand = Errand.within(WRITE if wait is None else wait, g.caller, urgent=True)
    return Write(kind=kind, subject=subject, body=body, errand=errand, key=key)


def written(
    run: Callable[[Write], tuple[Mapping[str, Any], bool]], write: Write
) -> tuple[Mapping[str, Any], int, dict[str, str]]:
    """The answer to a write, with the header that tells a repeat.

    Args:
        run: Runs the write; returns its answer, and whether it is that of an earlier request.
        write: The write.
    """
    answer, replayed = run(write)
    line: Record = g.record
    line.replayed = replayed
    # The state, and not an answer of Huawei to a write, told the outcome.
    line.reconciled = not replayed and not any(
        one.writes and one.outcome == "OK" for one in line.exchanges
    )
    return answer, 200, {"Idempotent-Replayed": "true"} if replayed else {}
