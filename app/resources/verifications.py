"""The verification of a customer as callers see it: schemas, and views of one line."""

from collections.abc import Callable
from typing import Any, TypeVar

from marshmallow import fields

from app.authentication import requires
from app.errors import ErrorCode
from app.extensions import verifications
from app.fields import Part, RequestSchema, ResponseSchema, Text, Texts, UtcTime, length, one_of
from app.partner_center import codes
from app.problems import ResourceBlueprint
from app.verification import Kind, Status, Verification, legacy
from app.verification.model import ENTERPRISE_DOCUMENTS, INDIVIDUAL_DOCUMENTS

View = TypeVar("View", bound=Callable[..., Any])

blueprint = ResourceBlueprint(
    "verifications",
    __name__,
    url_prefix="/v1/customers/<customer_id:customer_id>",
    description="Real-name verification of customers",
)


def _words(*words: str) -> dict[str, Any]:
    return {"enum": list(words)}


class IndividualDocumentSchema(RequestSchema):
    """The document that proves who a person is."""

    type = Text(
        required=True, validate=one_of(INDIVIDUAL_DOCUMENTS), metadata=_words(*INDIVIDUAL_DOCUMENTS)
    )
    number = Text(
        required=True,
        validate=legacy.person_number,
        metadata={"description": "1 to 32 letters and digits, without spaces"},
    )


class EnterpriseDocumentSchema(RequestSchema):
    """The document that proves what a company is."""

    type = Text(
        required=True, validate=one_of(ENTERPRISE_DOCUMENTS), metadata=_words(*ENTERPRISE_DOCUMENTS)
    )
    number = Text(
        required=True,
        validate=legacy.company_number,
        metadata={"description": "1 to 32 characters, none of ! @ # $ % ^ & * < > \\"},
    )


class RegistrationSchema(RequestSchema):
    """Where a company is registered."""

    country = Text(
        validate=length(2, 2), metadata={"description": "two-letter country code, e.g. CN"}
    )
    address = Text(validate=length(1, 255))


class RepresentativeSchema(RequestSchema):
    """A company's legal person."""

    full_name = Text(required=True, validate=[length(1, 255), legacy.has_letter])
    id_number = Text(required=True, validate=legacy.person_number)


class SubmissionSchema(RequestSchema):
    """What individuals and enterprises have in common."""

    partner_user_id = Text(
        validate=length(1, 64),
        metadata={
            "description": "your own id of the customer; accounts on the legacy backend need it"
        },
    )
    attachments = Texts(
        Text(validate=length(1, 255)),
        validate=length(1, 4),
        metadata={
            "description": "pictures uploaded before, in the order that GET /v1/capabilities "
            "gives for the document type; accounts on the review backend need them"
        },
    )


class IndividualSchema(SubmissionSchema):
    """A person to be verified."""

    full_name = Text(
        required=True,
        validate=[length(1, 256), legacy.has_letter],
        metadata={"description": "as in the document, in any script; 1 to 256 characters"},
    )
    document = Part(IndividualDocumentSchema(), required=True)


class EnterpriseSchema(SubmissionSchema):
    """A company to be verified."""

    legal_name = Text(
        required=True,
        validate=[length(1, 256), legacy.has_letter],
        metadata={"description": "as in the document, in any script; 1 to 256 characters"},
    )
    document = Part(EnterpriseDocumentSchema(), required=True)
    registration = Part(RegistrationSchema())
    representative = Part(RepresentativeSchema())


class RejectionSchema(ResponseSchema):
    """Why a reviewer rejected a verification."""

    reason = fields.String(required=True, metadata={"description": "the reviewer's words"})


class VerificationSchema(ResponseSchema):
    """Where a customer's verification stands; no personal value in it."""

    customer_id = fields.String(required=True)
    kind = fields.String(metadata={"description": ", ".join(Kind) + "; more can be added"})
    status = fields.String(
        required=True, metadata={"description": ", ".join(Status) + "; more can be added"}
    )
    final = fields.Boolean(
        required=True, metadata={"description": "whether it stays until a new submission"}
    )
    backend = fields.String(
        required=True, metadata={"description": "the generation of Huawei's API that served it"}
    )
    checked_at = UtcTime(required=True)
    rejection = fields.Nested(RejectionSchema)
    next_check_after_s = fields.Integer(
        metadata={"description": "seconds until a look at the result makes sense"}
    )


INDIVIDUAL = {
    "full_name": "ZHANG SAN",
    "document": {"type": "PASSPORT", "number": "E1234567"},
    "partner_user_id": "shop-981",
    "attachments": ["kyc/981/data-page.jpg", "kyc/981/holding.jpg"],
}
ENTERPRISE = {
    "legal_name": "Example Trading Co., Ltd.",
    "document": {"type": "BUSINESS_LICENSE", "number": "91330000X"},
    "registration": {"country": "CN", "address": "1 Example Road"},
    "representative": {"full_name": "LI SI", "id_number": "E7654321"},
    "partner_user_id": "shop-77",
    "attachments": ["kyc/77/licence.jpg"],
}
VERIFIED = {
    "customer_id": "06a7969058802f0c0f01c00b91846780",
    "kind": "INDIVIDUAL",
    "status": "VERIFIED",
    "final": True,
    "backend": "legacy",
    "checked_at": "2026-11-23T09:30:00Z",
}


UPSTREAM_PROBLEMS = frozenset(codes.COMMON.values()) | {
    ErrorCode.ACCESS_KEY_LOCKED,
    ErrorCode.CLOCK_SKEWED,
    ErrorCode.UPSTREAM_MALFORMED,
    ErrorCode.UPSTREAM_UNMAPPED,
    ErrorCode.UPSTREAM_UNREACHABLE,
}
CALLER_PROBLEMS = (ErrorCode.UNAUTHENTICATED, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND)
BODY_PROBLEMS = (
    ErrorCode.MALFORMED_JSON,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.VALIDATION_FAILED,
    ErrorCode.DOCUMENT_TYPE_UNSUPPORTED,
)


def _submission(
    schema: RequestSchema, operation_id: str, example: dict[str, Any]
) -> Callable[[View], View]:
    """What the three submissions have in common."""

    def decorate(view: View) -> View:
        for decorator in (
            blueprint.problems(
                BODY_PROBLEMS,
                CALLER_PROBLEMS,
                UPSTREAM_PROBLEMS,
                ErrorCode.LEGACY_API_RETIRED,
                ErrorCode.OUTCOME_UNKNOWN,
            ),
            blueprint.response(201, VerificationSchema(), example=VERIFIED),
            blueprint.arguments(schema, example=example),
            blueprint.doc(operationId=operation_id),
            requires("verifications:write"),
        ):
            view = decorator(view)
        return view

    return decorate


def _answer(verification: Verification) -> dict[str, Any]:
    return {
        "customer_id": verification.customer_id,
        "kind": verification.kind,
        "status": verification.status,
        "final": verification.final,
        "backend": verification.backend,
        "checked_at": verification.checked_at,
    }


@blueprint.post("/verifications/individual")
@_submission(IndividualSchema(), "submitIndividualVerification", INDIVIDUAL)
def submit_individual_verification(submission: dict[str, Any], customer_id: str) -> dict[str, Any]:
    """Submit a person's verification.

    201: the customer counts as verified at once.
    """
    return _answer(verifications().submit(Kind.INDIVIDUAL, customer_id, submission))


@blueprint.post("/verifications/enterprise")
@_submission(EnterpriseSchema(), "submitEnterpriseVerification", ENTERPRISE)
def submit_enterprise_verification(submission: dict[str, Any], customer_id: str) -> dict[str, Any]:
    """Submit a company's verification.

    201: the customer counts as verified at once.
    """
    return _answer(verifications().submit(Kind.ENTERPRISE, customer_id, submission))


@blueprint.post("/verifications/enterprise-change")
@_submission(EnterpriseSchema(), "changeToEnterpriseVerification", ENTERPRISE)
def change_to_enterprise_verification(
    submission: dict[str, Any], customer_id: str
) -> dict[str, Any]:
    """Turn a verified person's account into a company's.

    For a customer that was verified as an individual and is to become an enterprise.
    201: the customer counts as verified at once.
    """
    return _answer(verifications().submit(Kind.ENTERPRISE_CHANGE, customer_id, submission))
