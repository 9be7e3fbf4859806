"""The status of a customer's verification."""

from typing import Any

from flask import g, request
from marshmallow import fields

from app.api.authentication import requires
from app.api.blueprint import CALLER_PROBLEMS, UPSTREAM_PROBLEMS, ResourceBlueprint
from app.api.extensions import account
from app.api.problems.document import FieldErrorSchema
from app.api.record import Record
from app.api.requested import MAX_WAIT, wait_preference
from app.fields import ResponseSchema, UtcTime, word
from app.huawei.pacing.deadline import READ, Errand
from app.verification.model import BACKENDS, Kind, Status, Verification
from app.verification.read import NEXT_CHECK

blueprint = ResourceBlueprint(
    "verification",
    __name__,
    url_prefix="/v1/customers/<customer_id:customer_id>/verification",
    description="Read the status of a customer's verification",
)


class RejectionSchema(ResponseSchema):
    """The reason for a rejection."""

    reason = fields.String(
        required=True, metadata={"description": "the words of the reviewer; may be empty"}
    )


class BackendCheckSchema(ResponseSchema):
    """Whether one backend would accept a submission."""

    backend = word(BACKENDS)
    accepted = fields.Boolean(
        required=True,
        metadata={"description": "whether the backend would accept the submission now"},
    )
    errors = fields.List(fields.Nested(FieldErrorSchema), required=True)


class VerificationSchema(ResponseSchema):
    """The status of a customer's verification, without personal values.

    `validate_only` has the same schema, since generated clients support one type for all
    successful answers of an operation.
    """

    customer_id = fields.String(required=True)
    kind = fields.String(
        metadata={
            "description": f"{', '.join(Kind)}; more can be added. Huawei's result does not name "
            "the kind: a read answers the kind of the last submission through the gateway, and "
            "none if the gateway remembers no submission"
        }
    )
    status = word((*Status, "CHECKED"), "the status; CHECKED with validate_only")
    final = fields.Boolean(
        required=True,
        metadata={
            "description": "whether a verification has ended, so that only a new submission can "
            "change the status"
        },
    )
    backend = word(
        BACKENDS,
        "the generation of Huawei's API that answered; with validate_only, the generation that "
        "would receive the submission",
    )
    checked_at = UtcTime(
        required=True, metadata={"description": "time at which the gateway knew the status"}
    )
    submitted_at = UtcTime(
        metadata={
            "description": "time at which the gateway sent the submission to Huawei; absent from "
            "a read, and with validate_only"
        }
    )
    reconciled = fields.Boolean(
        metadata={
            "description": "true if Huawei's answer to the submission was lost, and the gateway "
            "read the status afterwards"
        }
    )
    rejection = fields.Nested(RejectionSchema)
    next_check_after_s = fields.Integer(
        metadata={
            "description": "seconds to wait before the next read; more while many reviews are open"
        }
    )
    accepted = fields.Boolean(
        metadata={"description": "with validate_only: whether the account would accept it now"}
    )
    backends = fields.List(
        fields.Nested(BackendCheckSchema),
        metadata={"description": "with validate_only: the result of the check for each backend"},
    )


CHECKED = {
    "customer_id": "06a7969058802f0c0f01c00b91846780",
    "kind": "INDIVIDUAL",
    "status": "CHECKED",
    "final": False,
    "backend": "legacy",
    "checked_at": "2026-11-23T09:30:00Z",
    "accepted": True,
    "backends": [
        {"backend": "legacy", "accepted": True, "errors": []},
        {
            "backend": "review",
            "accepted": False,
            "errors": [
                {
                    "pointer": "/attachments",
                    "code": "EVIDENCE_REQUIRED",
                    "detail": "The field is required on the review backend.",
                }
            ],
        },
    ],
}
VERIFIED = {
    "customer_id": "06a7969058802f0c0f01c00b91846780",
    "kind": "INDIVIDUAL",
    "status": "VERIFIED",
    "final": True,
    "backend": "legacy",
    "checked_at": "2026-11-23T09:30:00Z",
    "submitted_at": "2026-11-23T09:29:59Z",
}
UNDER_WAY = {
    "customer_id": "06a7969058802f0c0f01c00b91846780",
    "kind": "INDIVIDUAL",
    "status": "IN_REVIEW",
    "final": False,
    "backend": "review",
    "checked_at": "2026-11-23T09:30:00Z",
    "next_check_after_s": NEXT_CHECK,
}
IN_REVIEW = {**UNDER_WAY, "submitted_at": "2026-11-23T09:29:59Z"}
REJECTED = {
    "customer_id": "06a7969058802f0c0f01c00b91846780",
    "kind": "INDIVIDUAL",
    "status": "REJECTED",
    "final": True,
    "backend": "review",
    "checked_at": "2026-11-23T09:30:00Z",
    "rejection": {"reason": "The data page is not legible."},
}


def answer(verification: Verification) -> dict[str, Any]:
    """Return a verification for VerificationSchema, and add it to the record of the request."""
    line: Record = g.record
    line.backend, line.status = verification.backend, verification.status
    line.reconciled = verification.reconciled
    reason, final = verification.reason, verification.final
    in_review = verification.status is Status.IN_REVIEW
    return {
        "customer_id": verification.customer_id,
        "kind": verification.kind,
        "status": verification.status,
        "final": final,
        "backend": verification.backend,
        "checked_at": verification.checked_at,
        "submitted_at": verification.submitted_at,
        "reconciled": verification.reconciled or None,
        "rejection": None if reason is None else {"reason": reason},
        "next_check_after_s": account().verifications.reads.next_check() if in_review else None,
    }


@blueprint.get("", parameters=["Prefer"])
@requires("verifications:read")
@blueprint.doc(operationId="getVerification")
@blueprint.response(
    200,
    VerificationSchema(),
    examples={
        "IN_REVIEW": {"summary": "A person reviews the submission", "value": UNDER_WAY},
        "REJECTED": {"summary": "Rejected, with the words of the reviewer", "value": REJECTED},
    },
    headers=("Preference-Applied", "Retry-After"),
)
@blueprint.problems(CALLER_PROBLEMS, UPSTREAM_PROBLEMS)
def get_verification(customer_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Read the status of a customer's verification.

    With `Prefer: wait=N`, the gateway answers when the review ends, or after N seconds (at most
    25). A review that the gateway looked at a few seconds ago is answered from that look;
    `checked_at` is the time of the look, and `Cache-Control: no-cache` asks Huawei.

    The gateway reads the result of Huawei's review API, on every backend. Huawei does not
    document whether that result shows submissions through the legacy API: if a submission
    answered VERIFIED, do not rely on a later NOT_SUBMITTED.
    """
    wait = wait_preference() or 0.0
    errand = Errand.within(min(wait + READ, MAX_WAIT), g.caller)
    fresh = bool(request.cache_control.no_cache)
    verification = account().verifications.reads.read(customer_id, errand, wait, fresh)
    told = answer(verification)
    headers = {"Preference-Applied": f"wait={wait:.0f}"} if wait else {}
    if pause := told["next_check_after_s"]:
        headers["Retry-After"] = str(pause)
    return told, 200, headers
