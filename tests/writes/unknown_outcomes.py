"""Submissions whose outcome is unknown: how a test causes them, and the calls that follow."""

from __future__ import annotations

from typing import Any

from flask import Flask

from tests.support.gateway import CUSTOMER
from tests.support.patience import said, submit
from tests.support.sandbox_driver import SandboxDriver

UNKNOWN = (504, "OUTCOME_UNKNOWN", False)
FOUND = (201, "VERIFIED", True)
SENT = (201, "VERIFIED", False)
HIDDEN: dict[str, Any] = {
    "kind": "status",
    "status": 200,
    "body": "{}",
}  # a result that does not show the write


# Seconds that a caller waits for an outcome that stays unknown. On a busy machine too, this is
# enough for a read, the submission, and reads 0.2 and 0.8 seconds after it.
WAIT = 3
READS = 3  # reads of the customer's state by a submission with that deadline and a lost answer


def order(sandbox: SandboxDriver) -> list[str]:
    """The calls about the customer so far; the tries of a read after a lost write count as one."""
    calls = (one for one in sandbox.requests() if CUSTOMER in one["body"] + one["target"])
    names = [one["operation"] for one in calls]
    return [name for place, name in enumerate(names) if names[place - 1 : place] != [name]]


def lose(app: Flask, sandbox: SandboxDriver, fault: str = "reset", key: str = "key-1") -> None:
    """Submit with a key, lose the answer, and hide the write in the result."""
    sandbox.fault("verified-info", fault, count=1)
    sandbox.fault("result", **HIDDEN, count=READS)
    assert said(submit(app, idempotency=key, wait=WAIT)) == UNKNOWN
    sandbox.clear_faults()
