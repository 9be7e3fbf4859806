"""Where a customer's verification stands."""

import re
from typing import Any

from flask import g, request
from marshmallow import fields

from app.api import record
from app.api.authentication import requires
from app.api.extensions import verifications
from app.api.problems import CALLER_PROBLEMS, UPSTREAM_PROBLEMS, ResourceBlueprint
from app.api.problems.document import FieldErrorSchema
from app.fields import ResponseSchema, UtcTime
from app.huawei.pacing.deadline import READ, Errand
from app.verification.model import Kind, Status, Verification

blueprint = ResourceBlueprint(
    "verification",
    __name__,
    url_prefix="/v1/customers/<customer_id:customer_id>/verification",
    description="Where a customer's verification stands",
)

LONGEST_WAIT = 25.0  # seconds, the last look included: gunicorn ends what takes 30
NEXT_CHECK = 30  # seconds; a person reviews, and Huawei publishes no usual time

_WAIT = re.compile(r"(?i)(?:^|,)\s*wait\s*=\s*\"?(\d+)\"?\s*(?:$|[,;])")


class RejectionSchema(ResponseSchema):
    """Why a reviewer rejected a verification."""

    reason = fields.String(
        required=True, metadata={"description": "the reviewer's words; may be empty"}
    )


class BackendCheckSchema(ResponseSchema):
    """Whether one backend would take a submission."""

    backend = fields.String(required=True)
    takes = fields.Boolean(required=True)
    errors = fields.List(fields.Nested(FieldErrorSchema), required=True)


class VerificationSchema(ResponseSchema):
    """Where a customer's verification stands; no personal value in it.

    A check answers it too: generated clients know one type for all successes of an operation.
    """

    customer_id = fields.String(required=True)
    kind = fields.String(
        metadata={
            "description": f"{', '.join(Kind)}; absent where only the result was read, which "
            "does not tell it; more can be added"
        }
    )
    status = fields.String(
        required=True,
        metadata={
            "description": f"{', '.join(Status)}; CHECKED with validate_only; more can be added"
        },
    )
    final = fields.Boolean(
        required=True, metadata={"description": "whether it stays until a new submission"}
    )
    backend = fields.String(
        required=True,
        metadata={
            "description": "the generation of Huawei's API that answered, or, with "
            "validate_only, would get it"
        },
    )
    checked_at = UtcTime(required=True)
    reconciled = fields.Boolean(
        metadata={
            "description": "true where Huawei's answer to the submission was lost and this is "
            "what it shows since"
        }
    )
    rejection = fields.Nested(RejectionSchema)
    next_check_after_s = fields.Integer(
        metadata={"description": "seconds until another look makes sense"}
    )
    taken = fields.Boolean(
        metadata={"description": "with validate_only: whether the account would take it now"}
    )
    backends = fields.List(
        fields.Nested(BackendCheckSchema),
        metadata={"description": "with validate_only: what each backend says to it"},
    )


VERIFIED = {
    "customer_id": "06a7969058802f0c0f01c00b91846780",
    "kind": "INDIVIDUAL",
    "status": "VERIFIED",
    "final": True,
    "backend": "legacy",
    "checked_at": "2026-11-23T09:30:00Z",
}
IN_REVIEW = {
    **VERIFIED,
    "status": "IN_REVIEW",
    "final": False,
    "backend": "review",
    "next_check_after_s": NEXT_CHECK,
}
REJECTED = {
    "customer_id": "06a7969058802f0c0f01c00b91846780",
    "status": "REJECTED",
    "final": True,
    "backend": "review",
    "checked_at": "2026-11-23T09:30:00Z",
    "rejection": {"reason": "The data page is not legible."},
}


def note(verification: Verification) -> None:
    """Add a verification to the log line of the request."""
    line = record.current()
    line.backend, line.status = verification.backend, verification.status
    line.reconciled = verification.reconciled


def answer(verification: Verification) -> dict[str, Any]:
    """A verification as VerificationSchema dumps it."""
    reason = verification.reason
    return {
        "customer_id": verification.customer_id,
        "kind": verification.kind,
        "status": verification.status,
        "final": verification.final,
        "backend": verification.backend,
        "checked_at": verification.checked_at,
        "reconciled": verification.reconciled or None,
        "rejection": None if reason is None else {"reason": reason},
        "next_check_after_s": None if verification.final else NEXT_CHECK,
    }


def wait_preference() -> float | None:
    """Seconds that `Prefer: wait=N` (RFC 7240) asks for, at most 25; None if it asks for none."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(float(found[1]), LONGEST_WAIT) if found else None


@blueprint.get("", parameters=["Prefer"])
@requires("verifications:read")
@blueprint.doc(operationId="getVerification")
@blueprint.response(
    200,
    VerificationSchema(),
    examples={
        "IN_REVIEW": {"summary": "A person is looking at it", "value": IN_REVIEW},
        "REJECTED": {"summary": "Rejected, with the reviewer's words", "value": REJECTED},
    },
)
@blueprint.problems(CALLER_PROBLEMS, UPSTREAM_PROBLEMS)
def get_verification(customer_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Tell where a customer's verification stands.

    With `Prefer: wait=N` the answer to a review under way comes when it ends, or after N
    seconds (25 at most).

    It reads the result of the review API, whichever backend the submission went to. Whether
    Huawei shows there what was submitted through its legacy API is not documented: do not take
    NOT_SUBMITTED for the word on a customer that a submission answered VERIFIED.
    """
    wait = wait_preference() or 0.0
    errand = Errand.within(min(wait + READ, LONGEST_WAIT), g.caller)
    verification = verifications().reads.read(customer_id, errand, wait)
    note(verification)
    return answer(verification), 200, {"Preference-Applied": f"wait={wait:.0f}"} if wait else {}
