"""Upload the attachments of a customer's verification."""

from typing import Any

from flask import g, request
from marshmallow import fields

from app.api.authentication import requires
from app.api.blueprint import CALLER_PROBLEMS, UPSTREAM_PROBLEMS, ResourceBlueprint
from app.api.extensions import gateway
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
    """A stored attachment."""

    attachment = fields.String(
        required=True, metadata={"description": "the value for `attachments` of a submission"}
    )


class _Upload:
    """The content of an upload whose first bytes were read to check its format.

    Args:
        head: The first bytes, read already.
        rest: The stream of the other bytes.
        length: The number of all bytes, from `Content-Length`.
    """

    def __init__(self, head: bytes, rest: Stream, length: int) -> None:
        self._head = head
        self._rest = rest
        self._remaining = length

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; empty at the end.

        Raises:
            GatewayError: BAD_REQUEST if the upload ends before its length; otherwise OBS would
                store a part as the whole file.
        """
        if not self._remaining:
            return b""  # werkzeug raises 413 on a read after a body as long as its limit
        if self._head:
            piece, self._head = self._head, b""
        else:
            piece = self._rest.read(size)
        if not piece:
            raise GatewayError(ErrorCode.BAD_REQUEST, "The upload ended before its length.")
        self._remaining -= len(piece)
        return piece


def _check_upload(name: str) -> tuple[str, int, _Upload]:
    """Check the name, the length and the first bytes of the upload.

    Args:
        name: The name of the attachment.

    Returns:
        The media type, the length in bytes, and the content.

    Raises:
        GatewayError: BAD_REQUEST, PAYLOAD_TOO_LARGE or ATTACHMENT_FORMAT.
    """
    request.max_content_length = MAX_BYTES
    length = request.content_length
    if not length:
        raise GatewayError(
            ErrorCode.BAD_REQUEST, "Send the raw file with its length in `Content-Length`."
        )
    if length > MAX_BYTES:
        raise GatewayError(ErrorCode.PAYLOAD_TOO_LARGE, "An attachment may have at most 10 MB.")
    stem, _, ending = name.rpartition(".")
    expected = MEDIA_TYPES.get(ending.lower()) if stem else None
    if expected is None:
        raise GatewayError(
            ErrorCode.ATTACHMENT_FORMAT, f"The name must end in one of {', '.join(FORMATS)}."
        )
    head = b""
    while len(head) < min(HEAD, length) and (piece := request.stream.read(HEAD - len(head))):
        head += piece
    if media_type(head) != expected:
        raise GatewayError(
            ErrorCode.ATTACHMENT_FORMAT,
            "The content does not have the format of the name's ending.",
        )
    return expected, length, _Upload(head, request.stream, length)


@blueprint.put("/<attachment_name:name>")
@requires("attachments:write")
@blueprint.doc(
    operationId="uploadAttachment",
    requestBody={
        "required": True,
        "description": "the raw file, at most 10 MB: " + ", ".join(FORMATS),
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

    The content must have the format of the name's ending. Put the `attachment` of the answer
    into `attachments` of a submission. A second upload with the same name replaces the file. The
    gateway forwards the upload for at most 25 seconds; after that, nothing is stored.
    """
    bucket = gateway().buckets.get(g.account)
    if bucket is None:
        raise GatewayError(
            ErrorCode.PARTNER_NOT_ENABLED, "This account has no bucket for attachments."
        )
    content_type, length, content = _check_upload(name)
    attachment = f"{customer_id}/{name}"
    bucket.store(attachment, content_type, length, content)
    return {"attachment": attachment}
