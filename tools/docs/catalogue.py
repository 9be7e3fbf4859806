"""Generates the tables of error codes from the catalogue."""

from __future__ import annotations

from enum import StrEnum

from app.api.resources.errors import ACTORS, MEANINGS
from app.errors import ErrorCode, Fault, Retry


class Audience(StrEnum):
    """The recipient of a failure on the caller's side."""

    CUSTOMER = "the customer"
    STAFF = "your staff"
    DEVELOPERS = "your developers"
    PROGRAM = "your program"
    OPERATOR = "the operator"


MEANT = {
    Audience.CUSTOMER: "It is about the document, the name or the pictures. The customer can put "
    "it right, or has to know: say it in your own words.",
    Audience.STAFF: "Somebody of yours has to look, or to ask Huawei. Tell the customer that it "
    "takes longer, and not why: some of these are said of people who cheat.",
    Audience.DEVELOPERS: "The calling program, or its rights, are wrong. It happens while a "
    "program is written. The customer gets your usual page for a fault.",
    Audience.PROGRAM: "It passes. Repeat as `retry` says, and tell the customer only if it lasts.",
    Audience.OPERATOR: "It does not pass by itself, and your request was fine. The operator has "
    "an alert for it. Keep the submission and repeat it later.",
}

# Failures that the customer can fix or must know, and failures that the caller's staff must
# examine. The audience of all other failures follows from who must act.
CUSTOMERS = frozenset(
    {
        ErrorCode.PAYLOAD_TOO_LARGE,
        ErrorCode.EVIDENCE_REQUIRED,
        ErrorCode.DOCUMENT_TYPE_UNSUPPORTED,
        ErrorCode.UPSTREAM_REJECTED_FIELDS,
        ErrorCode.VERIFICATION_IN_PROGRESS,
        ErrorCode.ALREADY_VERIFIED_OR_IN_REVIEW,
        ErrorCode.DOCUMENT_LIMIT_REACHED,
        ErrorCode.VERIFICATION_FAILED,
        ErrorCode.FACE_MISMATCH,
        ErrorCode.ATTACHMENT_TOO_LARGE,
        ErrorCode.ATTACHMENT_FORMAT,
    }
)
STAFFS = frozenset(
    {
        ErrorCode.CUSTOMER_NOT_FOUND,
        ErrorCode.CUSTOMER_NOT_ASSOCIATED,
        ErrorCode.CUSTOMER_KIND_MISMATCH,
        ErrorCode.ATTEMPT_LIMIT_REACHED,
        ErrorCode.DOCUMENT_BLOCKED,
        ErrorCode.BUSINESS_PRECONDITION_FAILED,
        ErrorCode.MANUAL_HANDLING_REQUIRED,
        ErrorCode.IDENTITY_RISK,
    }
)
PASSES = frozenset({Retry.AFTER_DELAY, Retry.SAME_KEY})


def audience(code: ErrorCode) -> Audience:
    """The audience of a failure with this code."""
    if code in CUSTOMERS:
        return Audience.CUSTOMER
    if code in STAFFS:
        return Audience.STAFF
    if code.write_retry in PASSES:
        return Audience.PROGRAM
    return Audience.DEVELOPERS if code.fault is Fault.CALLER else Audience.OPERATOR


def table() -> str:
    """A row for each code."""
    rows = [
        "| code | status | retry | fault | who should hear of it | what happened |",
        "|---|---|---|---|---|---|",
    ]
    for code in ErrorCode:
        retry: str = code.retry
        if code.write_retry is not code.retry:
            retry += f"; a write: {code.write_retry}"
        cells = (f"`{code.name}`", str(code.status), retry, code.fault, audience(code), code.title)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def retries() -> str:
    """The meaning of each `retry` for a program, and the codes of a submission that have it."""
    rows = ["| `retry` | repeat? | codes, on a submission |", "|---|---|---|"]
    for retry in Retry:
        codes = ", ".join(code.name for code in ErrorCode if code.write_retry is retry)
        rows.append(f"| `{retry}` | {MEANINGS[retry]} | {codes} |")
    return "\n".join(rows)


def turns() -> str:
    """What each `fault` means."""
    rows = ["| `fault` | who must act | |", "|---|---|---|"]
    rows += [f"| `{fault}` | {actor.name} | {actor.meaning} |" for fault, actor in ACTORS.items()]
    return "\n".join(rows)


def audiences() -> str:
    """The message for each audience."""
    rows = ["| who | what to do |", "|---|---|"]
    rows += [f"| {one} | {MEANT[one]} |" for one in Audience]
    return "\n".join(rows)
