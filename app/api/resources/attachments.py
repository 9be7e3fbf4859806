"""The attachments of a customer's verification."""

from typing import Any

from flask import g, request
from marshmallow import fields

from app.api.authentication import requires
from app.api.extensions import gateway
from app.api.problems import CALLER_PROBLEMS, UPSTREAM_PROBLEMS, ResourceBlueprint
from app.errors import ErrorCode, GatewayError
from app.fields import ResponseSchema
from app.huawei.transport import Stream
from app.verification.pictures import FORMATS, HEAD, MAX_BYTES, MEDIA_TYPES, media_type

blueprint = ResourceBlueprint(
    "attachments",
    __name__,
    url_prefix="/v1/customers/<customer_id:customer_id>/attachments",
    description="Pictures for a verification",
)


class AttachmentSchema(ResponseSchema):
    """An attachment that is stored."""

    attachment = fields.String(
        required=True, metadata={"description": "the value to put into `attachments`"}
    )


class _Upload:
    """The rest of an upload behind its first bytes, which were looked at already."""

    def __init__(self, head: bytes, rest: Stream, length: int) -> None:
        self._head = head
        self._rest = rest
        self._missing = length

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; an upload that ends early must not be stored as if it were whole."""
        if not self._missing:
            return b""  # werkzeug takes a read behind the limit for a body that is too long
        if self._head:
            piece, self._head = self._head, b""
        else:
            piece = self._rest.read(size)
        if not piece:
            raise GatewayError(ErrorCode.BAD_REQUEST, "The upload ended early.")
        self._missing -= len(piece)
        return piece


def _checked(name: str) -> tuple[str, int, _Upload]:
    """Media type, length and content of the upload, after a look at its first bytes."""
    request.max_content_length = MAX_BYTES
    length = request.content_length
    if not length:
        raise GatewayError(
            ErrorCode.BAD_REQUEST, "Send the raw file, with its length in `Content-Length`."
        )
    if length > MAX_BYTES:
        raise GatewayError(ErrorCode.PAYLOAD_TOO_LARGE, "An attachment may have 10 MB.")
    stem, _, ending = name.rpartition(".")
    named = MEDIA_TYPES.get(ending.lower()) if stem else None
    if named is None:
        raise GatewayError(
            ErrorCode.ATTACHMENT_FORMAT, f"The name must end in one of {', '.join(FORMATS)}."
        )
    head = b""
    while len(head) < min(HEAD, length) and (piece := request.stream.read(HEAD - len(head))):
        head += piece
    if media_type(head) != named:
        raise GatewayError(
            ErrorCode.ATTACHMENT_FORMAT, "The content is not of the format that the name tells."
        )
    return named, length, _Upload(head, request.stream, length)


@blueprint.put("/<attachment_name:name>")
@requires("attachments:write")
@blueprint.doc(
    operationId="uploadAttachment",
    requestBody={
        "required": True,
        "description": "the raw file, at most 10 MB: " + ", ".join(FORMATS),
        # Whatever its media type: the content is looked at. Some generators know only this one, and
        # the Go client of one does not compile where a binary body has a `minLength`.
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
)
@blueprint.response(
    201,
    AttachmentSchema(),
    example={"attachment": "06a7969058802f0c0f01c00b91846780/data-page.jpg"},
)
@blueprint.problems(
    CALLER_PROBLEMS,
    UPSTREAM_PROBLEMS,
    ErrorCode.BAD_REQUEST,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.ATTACHMENT_FORMAT,
    ErrorCode.PARTNER_NOT_ENABLED,
)
def upload_attachment(customer_id: str, name: str) -> dict[str, Any]:
    """Upload a picture for a customer's verification.

    Its type is checked by its content, and must be the one that the name's ending tells. The
    answer holds the value to put into `attachments` of a submission. Uploading the same name
    again replaces the file. It has 25 seconds from the moment at which it is forwarded; after
    that nothing is stored.
    """
    bucket = gateway().buckets.get(g.account)
    if bucket is None:
        raise GatewayError(
            ErrorCode.PARTNER_NOT_ENABLED, "This account has no bucket for attachments."
        )
    named, length, content = _checked(name)
    attachment = f"{customer_id}/{name}"
    bucket.store(attachment, named, length, content)
    return {"attachment": attachment}
