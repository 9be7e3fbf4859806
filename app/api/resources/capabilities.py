"""The backends, document types and limits of the caller's account."""

from typing import Any

from flask import g
from marshmallow import fields

from app.api.authentication import requires
from app.api.blueprint import IDENTITY_PROBLEMS, ResourceBlueprint
from app.api.extensions import account
from app.fields import ResponseSchema, word
from app.verification.capabilities import LIMITS, documents
from app.verification.model import BACKENDS, ENTERPRISE_DOCUMENTS, INDIVIDUAL_DOCUMENTS, Kind
from app.verification.pictures import FORMATS

blueprint = ResourceBlueprint(
    "capabilities",
    __name__,
    url_prefix="/v1/capabilities",
    description="What your account accepts now",
)


class PicturesSchema(ResponseSchema):
    """The attachments of a document type for the review backend, in their order.

    Every backend refuses a submission with another number of attachments.
    """

    minimum = fields.Integer(required=True)
    maximum = fields.Integer(required=True)
    pictures = fields.List(fields.String(), required=True)


class DocumentTypeSchema(ResponseSchema):
    """A document type that the account accepts."""

    type = word((*INDIVIDUAL_DOCUMENTS, *ENTERPRISE_DOCUMENTS))
    kind = word((Kind.INDIVIDUAL, Kind.ENTERPRISE))
    backends = fields.List(word(BACKENDS), required=True)
    attachments = fields.Nested(PicturesSchema)


class LimitsSchema(ResponseSchema):
    """The limits of the contract."""

    name_characters = fields.Integer(required=True)
    name_characters_review = fields.Integer(required=True)
    number_characters = fields.Integer(required=True)
    attachments = fields.Integer(required=True)
    attachment_bytes = fields.Integer(required=True)
    attachment_formats = fields.List(word(FORMATS), required=True)


class CapabilitiesSchema(ResponseSchema):
    """What an account accepts now."""

    account = fields.String(required=True)
    backends = fields.List(
        word(BACKENDS),
        required=True,
        metadata={"description": "the backends of the account; the preferred backend is first"},
    )
    attachments_stored = fields.Boolean(
        required=True, metadata={"description": "whether the account can store attachments"}
    )
    documents = fields.List(fields.Nested(DocumentTypeSchema), required=True)
    limits = fields.Nested(LimitsSchema, required=True)


EXAMPLE = {
    "account": "default",
    "backends": ["review", "legacy"],
    "attachments_stored": True,
    "documents": documents(["review", "legacy"]),
    "limits": LIMITS,
}


@blueprint.get("")
@requires(about_customers=False)
@blueprint.doc(operationId="getCapabilities")
@blueprint.response(200, CapabilitiesSchema(), example=EXAMPLE)
@blueprint.problems(IDENTITY_PROBLEMS)
def get_capabilities() -> dict[str, Any]:
    """Read what your account accepts now.

    The answer lists the backends of the account, the document types that they accept, the
    attachments of each document type in their order, and the limits of the contract.
    """
    backends = [backend.name for backend in account().verifications.choice.backends]
    return {
        "account": g.account,
        "backends": backends,
        "attachments_stored": account().bucket is not None,
        "documents": documents(backends),
        "limits": LIMITS,
    }
