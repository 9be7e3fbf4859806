"""The review backend: the four v2 calls, with attachments and a human review.

Sources: mc_00017 to mc_00020 of api-bpconsole (2025-11 to 2026-01) and the models of
huaweicloudsdkbssintl 3.1.219. `legel_*` is Huawei's own spelling.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from marshmallow import fields

from app.errors import ErrorCode, GatewayError
from app.fields import Nested, Rule
from app.huawei.operation import AnswerSchema, ByFields, Number, Operation
from app.huawei.pacing.deadline import Errand
from app.huawei.partner_center import PartnerCenter
from app.huawei.review_result import READ_RESULT
from app.texts import Texts, length
from app.verification.backends.translation import CheckedText, DocumentCode, Draft, UpstreamSchema
from app.verification.model import Kind, Status, Verification


class Applied(AnswerSchema):
    """The answer of the review applications (mc_00017 to mc_00019)."""

    is_review = Number(0, 1, required=True)


_APPLIED = ByFields(Applied())
SUBMIT: Mapping[Kind, Operation] = {
    Kind.INDIVIDUAL: Operation(
        name="apply_individual",  # mc_00017
        method="POST",
        path="/v2/customers/realname-auths/individual",
        writes=True,
        success=_APPLIED,
    ),
    Kind.ENTERPRISE: Operation(
        name="apply_enterprise",  # mc_00018
        method="POST",
        path="/v2/customers/realname-auths/enterprise",
        writes=True,
        success=_APPLIED,
    ),
    Kind.ENTERPRISE_CHANGE: Operation(
        name="change_to_enterprise",  # mc_00019
        method="PUT",
        path="/v2/customers/realname-auths/enterprise",
        writes=True,
        success=_APPLIED,
    ),
}
TYPES: Mapping[Kind, Mapping[str, int]] = {
    Kind.INDIVIDUAL: {
        "PASSPORT": 3,
        "HK_MACAU_PERMIT": 5,
        "TAIWAN_PERMIT": 6,
        "HK_MACAU_RESIDENCE": 9,
        "TAIWAN_RESIDENCE": 10,
    },
    Kind.ENTERPRISE: {
        "BUSINESS_LICENSE": 0,
        "INSTITUTION_CERTIFICATE": 1,
        "SOCIAL_ORGANIZATION_CERTIFICATE": 2,
        "LAW_ENFORCEMENT_CERTIFICATE": 3,
        "ORGANIZATION_CODE": 4,
        "OTHER": 99,
    },
}


class _Pictures(Texts):
    rules = Texts.rules | {
        "required": Rule(ErrorCode.EVIDENCE_REQUIRED.name, "is required on the review backend")
    }


# Names may be one character shorter than in the contract. The contract's other rules, and those for
# attachments, are at least as strict as Huawei's: see app.api.resources.bodies.
class _Apply(UpstreamSchema):
    customer_id = CheckedText(required=True)
    xaccount_type = CheckedText(attribute="platform_id", required=True)
    verified_number = CheckedText(attribute="document.number", required=True)
    verified_file_url = _Pictures(CheckedText(), attribute="attachments", required=True)


class _Individual(_Apply):
    identify_type = fields.Constant(0)
    change_type = fields.Constant(-1)  # the first authentication
    verified_type = DocumentCode(TYPES[Kind.INDIVIDUAL], "review")
    name = CheckedText(attribute="full_name", required=True, validate=length(1, 255))


class _Person(UpstreamSchema):
    legel_name = CheckedText(attribute="full_name", required=True)
    legel_id_number = CheckedText(attribute="id_number", required=True)
    certifier_role = fields.Constant("legalPerson")


class _Enterprise(_Apply):
    identify_type = fields.Constant(1)
    certificate_type = DocumentCode(TYPES[Kind.ENTERPRISE], "review")
    corp_name = CheckedText(attribute="legal_name", required=True, validate=length(1, 255))
    reg_country = CheckedText(attribute="registration.country")
    reg_address = CheckedText(attribute="registration.address")
    enterprise_person = Nested(_Person(), attribute="representative")


class _Change(_Enterprise):
    change_type = fields.Constant(1)  # from individual to enterprise


_SCHEMAS: Mapping[Kind, UpstreamSchema] = {
    Kind.INDIVIDUAL: _Individual(),
    Kind.ENTERPRISE: _Enterprise(),
    Kind.ENTERPRISE_CHANGE: _Change(),
}


_STATUSES = {0: Status.IN_REVIEW, 1: Status.REJECTED, 2: Status.VERIFIED}


class ReviewBackend:
    """The v2 calls of one account."""

    name = "review"
    schemas = _SCHEMAS

    def __init__(self, partner_center: PartnerCenter) -> None:
        self._partner_center = partner_center

    def submit(self, kind: Kind, customer_id: str, draft: Draft, errand: Errand) -> Verification:
        """Send a draft that breaks no rule. If no person reviews it, read the result.

        Raises:
            GatewayError: the failure of the call.
        """
        answer = self._partner_center.call(
            SUBMIT[kind], body=draft.body, errand=errand, customer=customer_id
        )
        in_review = Verification(
            customer_id=customer_id,
            kind=kind,
            status=Status.IN_REVIEW,
            backend=self.name,
            checked_at=datetime.now(UTC),
        )
        if answer["is_review"] == 1:
            return in_review
        try:
            result = self.read(customer_id, errand, kind)
        except GatewayError:
            # Huawei accepted the submission. Only its result cannot be read yet.
            return in_review
        return in_review if result.status is Status.NOT_SUBMITTED else result

    def read(self, customer_id: str, errand: Errand, kind: Kind | None = None) -> Verification:
        """Read the status of a customer's verification.

        Huawei does not document whether the result shows submissions through the legacy call.

        Raises:
            GatewayError: the failure of the call.
        """
        answer = self._partner_center.call(
            READ_RESULT, query=[("customer_id", customer_id)], errand=errand, customer=customer_id
        )
        number = answer["review_result"]
        status = Status.NOT_SUBMITTED if number is None else _STATUSES[number]
        return Verification(
            customer_id=customer_id,
            kind=kind,
            status=status,
            backend=self.name,
            checked_at=datetime.now(UTC),
            reason=(answer["opinion"] or "") if status is Status.REJECTED else None,
        )
