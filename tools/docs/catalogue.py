"""The tables of the error codes, from the error catalogue."""

from __future__ import annotations

from enum import StrEnum

from app.api.resources.errors import ACTORS, MEANINGS
from app.errors import ErrorCode, Fault, Retry


class Audience(StrEnum):
    """Who on the caller's side should see a failure."""

    CUSTOMER = "the customer"
    STAFF = "your staff"
    DEVELOPERS = "your developers"
    PROGRAM = "your program"
    OPERATOR = "the operator"


ACTIONS = {
    Audience.CUSTOMER: "The failure is about what the customer typed or uploaded. The customer "
    "can correct it or must know of it: describe it in your own words.",
    Audience.STAFF: "A person of your company must investigate, or ask Huawei. Tell the customer "
    "that it takes longer, but not why: some of these codes mean fraud.",
    Audience.DEVELOPERS: "The calling program or its permissions are wrong. Expect this while the "
    "program is written. Show the customer your usual error page.",
    Audience.PROGRAM: "The failure is temporary. Repeat as `retry` says, and tell the customer "
    "only if it lasts.",
    Audience.OPERATOR: "Your request was fine, and the failure lasts until the operator acts. The "
    "operator has an alert for it. Keep the submission and repeat it later.",
}

# Codes for the customer and codes for the caller's staff. `audience` derives the audience of all
# other codes from `retry` and `fault`.
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
        ErrorCode.ACCOUNT_NAME_TAKEN,
        ErrorCode.EMAIL_TAKEN,
        ErrorCode.CODE_WRONG,
        ErrorCode.CODE_EXPIRED,
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
        ErrorCode.PARTNER_USER_ID_TAKEN,
        ErrorCode.ASSOCIATION_TYPE_WRONG,
        ErrorCode.BUDGET_NOT_ALLOWED,
        ErrorCode.RESELLER_NOT_ALLOWED,
    }
)
TEMPORARY = frozenset({Retry.AFTER_DELAY, Retry.SAME_KEY})


def audience(code: ErrorCode) -> Audience:
    """Return who should see a failure with this code."""
    if code in CUSTOMERS:
        return Audience.CUSTOMER
    if code in STAFFS:
        return Audience.STAFF
    if code.write_retry in TEMPORARY:
        return Audience.PROGRAM
    return Audience.DEVELOPERS if code.fault is Fault.CALLER else Audience.OPERATOR


def table() -> str:
    """Return a table with a row for each code."""
    rows = [
        "| code | status | retry | fault | who should see it | what happened |",
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
    """Return a table of the values of `retry`: their meaning, and their codes on a submission."""
    rows = ["| `retry` | repeat? | codes, on a submission |", "|---|---|---|"]
    for retry in Retry:
        codes = ", ".join(code.name for code in ErrorCode if code.write_retry is retry)
        rows.append(f"| `{retry}` | {MEANINGS[retry]} | {codes} |")
    return "\n".join(rows)


def faults() -> str:
    """Return a table of the values of `fault`: who must act, and what that means."""
    rows = ["| `fault` | who must act | |", "|---|---|---|"]
    rows += [f"| `{fault}` | {actor.name} | {actor.meaning} |" for fault, actor in ACTORS.items()]
    return "\n".join(rows)


def audiences() -> str:
    """Return a table of the audiences: what the caller should do."""
    rows = ["| who | what to do |", "|---|---|"]
    rows += [f"| {audience} | {ACTIONS[audience]} |" for audience in Audience]
    return "\n".join(rows)
