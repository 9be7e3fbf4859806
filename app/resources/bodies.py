"""The bodies of submissions: the rules of the contract, whichever backend serves."""

from app.fields import Part, RequestSchema, Text, Texts, length, one_of
from app.verification.model import ENTERPRISE_DOCUMENTS, INDIVIDUAL_DOCUMENTS
from app.verification.rules import company_number, has_letter, person_number


def _type(documents: tuple[str, ...]) -> Text:
    return Text(required=True, validate=one_of(documents), metadata={"enum": list(documents)})


def _name() -> Text:
    return Text(
        required=True,
        validate=[length(1, 256), has_letter],
        metadata={"description": "as in the document, in any script; 1 to 256 characters"},
    )


class IndividualDocumentSchema(RequestSchema):
    """The document that proves who a person is."""

    type = _type(INDIVIDUAL_DOCUMENTS)
    number = Text(
        required=True,
        validate=person_number,
        metadata={"description": "1 to 32 letters and digits, without spaces"},
    )


class EnterpriseDocumentSchema(RequestSchema):
    """The document that proves what a company is."""

    type = _type(ENTERPRISE_DOCUMENTS)
    number = Text(
        required=True,
        validate=company_number,
        metadata={"description": "1 to 32 characters, none of ! @ # $ % ^ & * < > \\"},
    )


class RegistrationSchema(RequestSchema):
    """Where a company is registered."""

    country = Text(validate=length(2, 2), metadata={"description": "two-letter code, e.g. CN"})
    address = Text(validate=length(1, 255))


class RepresentativeSchema(RequestSchema):
    """A company's legal person."""

    full_name = Text(required=True, validate=[length(1, 255), has_letter])
    id_number = Text(required=True, validate=person_number)


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
        validate=length(1, 4, "entries"),
        metadata={
            "description": "pictures uploaded before, in the order that GET /v1/capabilities "
            "gives for the document type; accounts on the review backend need them"
        },
    )


class IndividualSchema(SubmissionSchema):
    """A person to be verified."""

    full_name = _name()
    document = Part(IndividualDocumentSchema(), required=True)


class EnterpriseSchema(SubmissionSchema):
    """A company to be verified."""

    legal_name = _name()
    document = Part(EnterpriseDocumentSchema(), required=True)
    registration = Part(RegistrationSchema())
    representative = Part(RepresentativeSchema())


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
