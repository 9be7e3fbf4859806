"""The legacy backend: verified-info, which takes effect at once.

Source of every fact: the page en-us_topic_0076214635 and its zh-cn twin (2025-08-28), which
still has the enumerations. Huawei calls the API deprecated and names no date.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError
from marshmallow.fields import Constant

from app.errors import ErrorCode
from app.fields import Code, Rule, Text, UpstreamSchema, length, pattern
from app.partner_center.operation import Operation
from app.verification.model import Kind

VERIFIED_INFO = Operation(
    name="verified_info",
    method="PUT",
    path="/v1.0/{partner_id}/partner/customer-mgr/verified-info",
    writes=True,
    errors={"APIGW.0101": ErrorCode.LEGACY_API_RETIRED},
    statuses={
        # A {partner_id} path answers 401 to an account outside the programme
        # (bpconsole_apifaq_00004).
        401: ErrorCode.PARTNER_NOT_ENABLED,
        404: ErrorCode.LEGACY_API_RETIRED,
        410: ErrorCode.LEGACY_API_RETIRED,
    },
)

INDIVIDUAL_TYPES = {"ID_CARD": 1, "PASSPORT": 2, "ID_CARD_GEN1": 4, "ID_CARD_TEMPORARY": 5}
ENTERPRISE_TYPES = {"BUSINESS_LICENSE": 3, "ORGANIZATION_CODE": 11}

UNSUPPORTED = "DOCUMENT_TYPE_UNSUPPORTED"
_NAME = Rule("NAME", "must have a letter, not only digits, spaces and special characters")
_PERSON_NUMBER = Rule("NUMBER", "must be 1 to 32 letters and digits, without spaces")
# The page says "does not contain" before a class that is negated itself; read as: none of these.
_COMPANY_NUMBER = Rule("NUMBER", r"must be 1 to 32 characters, none of ! @ # $ % ^ & * < > \ ")


def has_letter(name: str) -> None:
    """Huawei's rule on names. It does not say what is special, so any script's letters pass."""
    if not any(character.isalpha() for character in name):
        raise ValidationError([_NAME])


person_number = pattern(r"[0-9a-zA-Z]{1,32}", _PERSON_NUMBER)
company_number = pattern(r"[^!@#$%^&*<>\\]{1,32}", _COMPANY_NUMBER)


class _VerifiedInfo(UpstreamSchema):
    xaccountType = Text(attribute="platform_id", required=True)
    xaccountId = Text(attribute="partner_user_id", required=True, validate=length(1, 64))
    domainId = Text(attribute="customer_id", required=True)
    verifiedStatus = Constant(2)  # authenticated


class _Individual(_VerifiedInfo):
    verifiedType = Constant(0)
    name = Text(attribute="full_name", required=True, validate=[length(1, 256), has_letter])
    identifyType = Code(
        INDIVIDUAL_TYPES,
        Rule(UNSUPPORTED, f"must be one of {', '.join(INDIVIDUAL_TYPES)} on the legacy backend"),
        attribute="document.type",
    )
    verifiedNumber = Text(attribute="document.number", required=True, validate=person_number)


class _Enterprise(_VerifiedInfo):
    verifiedType = Constant(1)
    name = Text(attribute="legal_name", required=True, validate=[length(1, 256), has_letter])
    identifyType = Code(
        ENTERPRISE_TYPES,
        Rule(UNSUPPORTED, f"must be one of {', '.join(ENTERPRISE_TYPES)} on the legacy backend"),
        attribute="document.type",
    )
    verifiedNumber = Text(attribute="document.number", required=True, validate=company_number)


# A change pushes the company: the legacy API has no call of its own for it.
SCHEMAS: Mapping[Kind, UpstreamSchema] = {
    Kind.INDIVIDUAL: _Individual(),
    Kind.ENTERPRISE: _Enterprise(),
    Kind.ENTERPRISE_CHANGE: _Enterprise(),
}


def as_strings(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with its numbers as strings, the form of the example that Huawei prints."""
    return {name: str(value) if isinstance(value, int) else value for name, value in body.items()}
