"""Submit a customer's verification."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import g, url_for

from app.api.authentication import View, requires
from app.api.blueprint import SUBMISSION_PROBLEMS, ResourceBlueprint
from app.api.extensions import account
from app.api.record import Record
from app.api.requested import requested
from app.api.resources.bodies import ENTERPRISE, INDIVIDUAL, EnterpriseSchema, IndividualSchema
from app.api.resources.results import (
    CHECKED,
    IN_REVIEW,
    VERIFIED,
    VerificationSchema,
    answer,
)
from app.errors import ErrorCode, GatewayError
from app.fields import QueryFlag, QuerySchema, RequestSchema
from app.settings import CallerSettings
from app.verification.model import Kind
from app.verification.pictures import not_of_an_upload

blueprint = ResourceBlueprint(
    "submissions",
    __name__,
    url_prefix="/v1/customers/<customer_id:customer_id>/verifications",
    description="Submit a customer's verification",
)


class OptionsSchema(QuerySchema):
    """The query of a submission."""

    validate_only = QueryFlag(
        metadata={
            "description": "check the body against both backends, and send nothing to Huawei"
        },
    )


def _examples(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    bare = {name: value for name, value in body.items() if name != "attachments"}
    return {
        "WITHOUT_ATTACHMENTS": {"summary": "For the legacy backend", "value": bare},
        "WITH_ATTACHMENTS": {"summary": "For either backend", "value": body},
    }


def _submission(
    schema: RequestSchema, operation_id: str, example: dict[str, Any]
) -> Callable[[View], View]:
    """Declare the parameters, the answers and the problems that all submissions share."""
    decorators = (
        blueprint.problems(SUBMISSION_PROBLEMS),
        blueprint.also(
            202,
            schema=VerificationSchema(),
            description="In review: a person reviews the submission",
            example=IN_REVIEW,
            headers=("Location", "Retry-After", "Idempotent-Replayed"),
        ),
        blueprint.also(
            200,
            schema=VerificationSchema(),
            description="With validate_only: the result of the check",
            example=CHECKED,
        ),
        blueprint.response(
            201,
            VerificationSchema(),
            description="Final: verified (or, rarely, rejected)",
            example=VERIFIED,
            headers=("Location", "Idempotent-Replayed"),
        ),
        blueprint.arguments(OptionsSchema(), location="query"),
        blueprint.arguments(schema, examples=_examples(example)),
        blueprint.doc(operationId=operation_id),
        requires("verifications:write"),
    )

    def decorate(view: View) -> View:
        for decorator in decorators:
            view = decorator(view)
        return view

    return decorate


def _submit(
    kind: Kind, customer_id: str, submission: dict[str, Any], options: dict[str, Any]
) -> Any:
    if attachments := submission.get("attachments"):
        _check_attachments(customer_id, attachments)
    line: Record = g.record
    write = requested(kind, customer_id, submission)
    if options.get("validate_only"):
        line.check = True
        checked = account().verifications.submissions.check(kind, customer_id, submission)
        status = {"status": "CHECKED", "final": False, "checked_at": datetime.now(UTC)}
        return status | checked, 200
    verification, replayed = account().verifications.submissions.submit(write)
    line.replayed = replayed
    told = answer(verification)
    headers = {"Location": url_for("verification.get_verification", customer_id=customer_id)}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    if told["final"]:
        return told, 201, headers
    headers["Retry-After"] = str(told["next_check_after_s"])
    return told, 202, headers


def _check_attachments(customer_id: str, attachments: Sequence[str]) -> None:
    """Check the attachments of a caller that is limited to some customers.

    Raises:
        GatewayError: FORBIDDEN for an attachment of another customer; ATTACHMENT_FORMAT for a
            path that is not the answer to an upload.
    """
    rights: CallerSettings = g.rights
    if rights.customers is None:
        return
    if not all(one.startswith(f"{customer_id}/") for one in attachments):
        raise GatewayError(ErrorCode.FORBIDDEN, "An attachment belongs to another customer.")
    if errors := not_of_an_upload(customer_id, attachments):
        raise GatewayError(ErrorCode.ATTACHMENT_FORMAT, errors=errors)


@blueprint.post("/individual", parameters=["IdempotencyKey", "Prefer"])
@_submission(IndividualSchema(), "submitIndividualVerification", INDIVIDUAL)
def submit_individual(submission: dict[str, Any], options: dict[str, Any], customer_id: str) -> Any:
    """Submit a person's verification.

    The body is the same for both generations of Huawei's API; the operator chooses the
    generation. 201: the verification is final, VERIFIED or (rarely) REJECTED. 202: a person
    reviews the submission; read the result at `Location`.
    """
    return _submit(Kind.INDIVIDUAL, customer_id, submission, options)


@blueprint.post("/enterprise", parameters=["IdempotencyKey", "Prefer"])
@_submission(EnterpriseSchema(), "submitEnterpriseVerification", ENTERPRISE)
def submit_enterprise(submission: dict[str, Any], options: dict[str, Any], customer_id: str) -> Any:
    """Submit a company's verification.

    The body is the same for both generations of Huawei's API; the operator chooses the
    generation. 201: the verification is final, VERIFIED or (rarely) REJECTED. 202: a person
    reviews the submission; read the result at `Location`.
    """
    return _submit(Kind.ENTERPRISE, customer_id, submission, options)


@blueprint.post("/enterprise-change", parameters=["IdempotencyKey", "Prefer"])
@_submission(EnterpriseSchema(), "changeToEnterpriseVerification", ENTERPRISE)
def change_to_enterprise(
    submission: dict[str, Any], options: dict[str, Any], customer_id: str
) -> Any:
    """Change a verified individual to an enterprise.

    The customer must be verified as an individual. The answers are those of
    submitEnterpriseVerification.
    """
    return _submit(Kind.ENTERPRISE_CHANGE, customer_id, submission, options)
