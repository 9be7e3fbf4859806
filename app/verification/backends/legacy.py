"""The legacy backend: verified-info, which verifies a customer at once.

Source: the page en-us_topic_0076214635 and its Chinese edition (2025-08-28), which still has the
enumerations. Huawei calls the API deprecated and names no date.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from marshmallow.fields import Constant

from app.errors import ErrorCode
from app.huawei.operation import ByCode, Operation
from app.huawei.pacing.deadline import Errand
from app.huawei.partner_center import PartnerCenter
from app.verification.backends.translation import CheckedText, DocumentCode, Draft, UpstreamSchema
from app.verification.model import Kind, Status, Verification

PUSH = Operation(
    name="verified_info",
    method="PUT",
    path="/v1.0/{partner_id}/partner/customer-mgr/verified-info",
    writes=True,
    success=ByCode(),
    # Huawei names no code for the switch-off. APIGW.0101: no such API (error-code page of the API
    # gateway). A 404 or 410 without a code of Huawei's can come from a proxy and proves nothing.
    errors={"APIGW.0101": ErrorCode.LEGACY_API_RETIRED},
    gone=ErrorCode.LEGACY_API_RETIRED,
    statuses={
        # A {partner_id} path answers 401 to an account outside the programme
        # (bpconsole_apifaq_00004).
        401: ErrorCode.PARTNER_NOT_ENABLED,
    },
)

TYPES: Mapping[Kind, Mapping[str, int]] = {
    Kind.INDIVIDUAL: {"ID_CARD": 1, "PASSPORT": 2, "ID_CARD_GEN1": 4, "ID_CARD_TEMPORARY": 5},
    Kind.ENTERPRISE: {"BUSINESS_LICENSE": 3, "ORGANIZATION_CODE": 11},
}


# The contract's rules for names, numbers and ids are Huawei's: see app.api.resources.bodies.
class _Push(UpstreamSchema):
    xaccountType = CheckedText(attribute="platform_id", required=True)
    xaccountId = CheckedText(attribute="partner_user_id", required=True)
    domainId = CheckedText(attribute="customer_id", required=True)
    verifiedStatus = Constant(2)  # authenticated


class _Individual(_Push):
    verifiedType = Constant(0)
    name = CheckedText(attribute="full_name", required=True)
    identifyType = DocumentCode(TYPES[Kind.INDIVIDUAL], "legacy")
    verifiedNumber = CheckedText(attribute="document.number", required=True)


class _Enterprise(_Push):
    verifiedType = Constant(1)
    name = CheckedText(attribute="legal_name", required=True)
    identifyType = DocumentCode(TYPES[Kind.ENTERPRISE], "legacy")
    verifiedNumber = CheckedText(attribute="document.number", required=True)


_SCHEMAS: Mapping[Kind, UpstreamSchema] = {
    Kind.INDIVIDUAL: _Individual(),
    Kind.ENTERPRISE: _Enterprise(),
    # The legacy API has no separate call for a change: the gateway submits the company.
    Kind.ENTERPRISE_CHANGE: _Enterprise(),
}


class LegacyBackend:
    """The verified-info call of one account.

    Args:
        partner_center: Partner Center as the account sees it.
        numbers: The JSON type of numbers: "integer" as in Huawei's table, or "string" as in its
            example.
    """

    name = "legacy"
    schemas = _SCHEMAS

    def __init__(self, partner_center: PartnerCenter, numbers: str) -> None:
        self._partner_center = partner_center
        self._numbers = numbers

    def submit(self, kind: Kind, customer_id: str, draft: Draft, errand: Errand) -> Verification:
        """Send a draft that breaks no rule.

        Raises:
            GatewayError: the failure of the call; LEGACY_API_RETIRED if Huawei itself answers that
                it does not serve the call. Huawei processed nothing then.
        """
        body = draft.body
        if self._numbers == "string":
            body = {
                word: str(value) if isinstance(value, int) else value
                for word, value in body.items()
            }
        self._partner_center.call(PUSH, body=body, errand=errand, customer=customer_id)
        return Verification(
            customer_id=customer_id,
            kind=kind,
            status=Status.VERIFIED,
            backend=self.name,
            checked_at=datetime.now(UTC),
        )
