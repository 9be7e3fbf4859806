"""The bodies of submissions, with the rules of the contract: the same for every backend.

They include Huawei's rules for names and document numbers.
"""

from typing import Any

from marshmallow import ValidationError, validates_schema

from app.fields import Nested, RequestSchema, Rule
from app.texts import COUNTRY, PlainText, Texts, length, letter, one_of, pattern
from app.verification.model import ENTERPRISE_DOCUMENTS, INDIVIDUAL_DOCUMENTS
from app.verification.pictures import MAX_PICTURES, path_form, wrong_number

# Huawei's rule for names. Huawei does not define special characters, so letters of any script pass.
_has_letter = letter(
    Rule("NAME", "must have a letter, not only digits, spaces and special characters")
)
# Source of both: the zh-cn page of verified-info (zh-cn_topic_0076214635, 2025-08-28). For the
# review backend only the length is published.
_person_number = pattern(
    r"[0-9a-zA-Z]{1,32}", Rule("NUMBER", "must be 1 to 32 letters and digits, without spaces")
)
# The page has "does not contain" before a negated class; the gateway reads it as: none of these.
_company_number = pattern(
    r"[^!@#$%^&*<>\\]{1,32}",
    Rule("NUMBER", "must be 1 to 32 characters, none of ! @ # $ % ^ & * < > \\"),
)


def _type(name: str, documents: tuple[str, ...]) -> PlainText:
    enum = {"enum_name": name, "enum": list(documents), "description": "the type of the document"}
    return PlainText(required=True, validate=one_of(documents), metadata=enum)


def _name() -> PlainText:
    return PlainText(
        required=True,
        validate=[length(1, 256), _has_letter],
        metadata={"description": "the name in the document, in any script; 1 to 256 characters"},
    )


class IndividualDocumentSchema(RequestSchema):
    """The identity document of a person."""

    type = _type("IndividualDocumentType", INDIVIDUAL_DOCUMENTS)
    number = PlainText(
        required=True,
        validate=_person_number,
        metadata={"description": "1 to 32 letters and digits, without spaces"},
    )


class EnterpriseDocumentSchema(RequestSchema):
    """The registration document of a company."""

    type = _type("EnterpriseDocumentType", ENTERPRISE_DOCUMENTS)
    number = PlainText(
        required=True,
        validate=_company_number,
        metadata={"description": "1 to 32 characters, without ! @ # $ % ^ & * < > \\"},
    )


class RegistrationSchema(RequestSchema):
    """The country and address of a company's registration."""

    country = PlainText(
        validate=COUNTRY,
        metadata={"description": "two-letter country code in capitals, e.g. CN"},
    )
    address = PlainText(
        validate=length(1, 255),
        metadata={"description": "the address in one line; 1 to 255 characters"},
    )


class RepresentativeSchema(RequestSchema):
    """The legal representative of a company."""

    full_name = PlainText(required=True, validate=[length(1, 255), _has_letter])
    id_number = PlainText(required=True, validate=_person_number)


class SubmissionSchema(RequestSchema):
    """The fields that individuals and enterprises have in common."""

    partner_user_id = PlainText(
        validate=length(1, 64),
        metadata={"description": "your own id of the customer; required by the legacy backend"},
    )
    attachments = Texts(
        PlainText(validate=[length(1, 255), path_form]),
        validate=length(1, MAX_PICTURES, "entries"),
        metadata={
            "description": "the pictures, each as the `attachment` that its upload answered; GET "
            "/v1/capabilities lists their number and order for each document type; required by "
            "the review backend"
        },
    )


class IndividualSchema(SubmissionSchema):
    """The verification of a person."""

    full_name = _name()
    document = Nested(IndividualDocumentSchema(), required=True)

    @validates_schema
    def check_number_of_pictures(self, submission: dict[str, Any], **_: Any) -> None:
        """Refuse a wrong number of attachments on every backend. No attachments are allowed."""
        if attachments := submission.get("attachments"):
            rule = wrong_number(submission["document"]["type"], attachments)
            if rule is not None:
                raise ValidationError({"attachments": [rule]})


class EnterpriseSchema(SubmissionSchema):
    """The verification of a company."""

    legal_name = _name()
    document = Nested(EnterpriseDocumentSchema(), required=True)
    registration = Nested(RegistrationSchema())
    representative = Nested(RepresentativeSchema())


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
