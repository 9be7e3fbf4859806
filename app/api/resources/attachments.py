"""Upload and delete the attachments of a customer's verification."""

from typing import Any

from flask import Response, g, request
from marshmallow import fields

from app.api.authentication import requires
from app.api.blueprint import CALLER_PROBLEMS, UPSTREAM_PROBLEMS, ResourceBlueprint
from app.api.extensions import account
from app.api.uploads import received
from app.errors import ErrorCode, GatewayError
from app.fields import ResponseSchema
from app.huawei.obs import Bucket
from app.huawei.pacing.deadline import UPLOAD, Errand
from app.verification.pictures import FORMATS

blueprint = ResourceBlueprint(
    "attachments",
    __name__,
    url_prefix="/v1/customers/<customer_id:customer_id>/attachments",
    description="Attachments of a verification",
)


class AttachmentSchema(ResponseSchema):
    """A stored attachment."""

    attachment = fields.String(
        required=True, metadata={"description": "the value for `attachments` of a submission"}
    )


def _bucket() -> Bucket:
    bucket = account().bucket
    if bucket is None:
        raise GatewayError(
            ErrorCode.PARTNER_NOT_ENABLED, "This account has no bucket for attachments."
        )
    return bucket


@blueprint.put("/<attachment_name:name>")
@requires("attachments:write")
@blueprint.doc(
    operationId="uploadAttachment",
    requestBody={
        "required": True,
        "description": f"the bytes of the file themselves, at most 10 MB: {', '.join(FORMATS)}",
        # The gateway accepts every media type, since it checks the content. Some client generators
        # support only this media type, and the Go client of one generator does not compile if a
        # binary body has a `minLength`.
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
)
@blueprint.response(
    201,
    AttachmentSchema(),
    example={"attachment": "06a7969058802f0c0f01c00b91846780/data-page.jpg"},
    headers=("Location",),
)
@blueprint.problems(
    CALLER_PROBLEMS,
    UPSTREAM_PROBLEMS,
    ErrorCode.BAD_REQUEST,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.ATTACHMENT_FORMAT,
    ErrorCode.PARTNER_NOT_ENABLED,
)
def upload_attachment(customer_id: str, name: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Upload an attachment for a customer's verification.

    The content must have the format of the name's ending. Put the `attachment` of the answer
    into `attachments` of a submission. A second upload with the same name replaces the file. Send
    the bytes of the file, not a form, and no compressed body; a body in chunks, without
    `Content-Length`, is accepted. The upload may take 25 seconds; after that, nothing is stored.
    """
    attachment = f"{customer_id}/{name}"
    bucket, errand = _bucket(), Errand.within(UPLOAD, g.caller)
    with received(name, errand) as (content_type, length, content):
        bucket.store(attachment, content_type, length, content, errand.left)
    return {"attachment": attachment}, 201, {"Location": request.path}


@blueprint.delete("/<attachment_name:name>")
@requires("attachments:write")
@blueprint.doc(operationId="deleteAttachment")
@blueprint.response(204)
@blueprint.problems(CALLER_PROBLEMS, UPSTREAM_PROBLEMS, ErrorCode.PARTNER_NOT_ENABLED)
def delete_attachment(customer_id: str, name: str) -> Response:
    """Delete an attachment of a customer.

    An attachment that does not exist is answered with 204 too. Huawei does not document when a
    reviewer reads attachments: delete them when the verification is final.
    """
    _bucket().delete(f"{customer_id}/{name}")
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response
