"""The attachments of a verification: their formats, and the content of each picture.

Source: mc_00017 to mc_00019 and the models of huaweicloudsdkbssintl 3.1.219.
"""

import re
from collections.abc import Iterable, Mapping, Sized

from app.errors import ErrorCode, FieldError
from app.fields import Rule
from app.texts import pattern
from app.verification.model import ATTACHMENT_NAME

MAX_PICTURES = 4
MAX_BYTES = 10 * 1024 * 1024  # "10 MB" on the pages

# The pictures of each document type, in their order. Huawei's texts disagree on companies: the
# international SDK names the front and the back of the certificate, the China pages (2025-12) name
# one picture of it. Two pictures of the representative's document follow. A company may therefore
# have 1 to 4 pictures.
_CARD = ("portrait side", "other side", "holder with the portrait side in hand")
PERSON: Mapping[str, tuple[str, ...]] = {
    "PASSPORT": ("data page", "holder with the data page in hand"),
    "HK_MACAU_PERMIT": _CARD,
    "TAIWAN_PERMIT": _CARD,
    "HK_MACAU_RESIDENCE": _CARD,
    "TAIWAN_RESIDENCE": _CARD,
}
COMPANY = (
    "certificate",
    "back of the certificate, if it has one",
    "representative's identity document, portrait side, if a representative is named",
    "representative's identity document, other side, if a representative is named",
)

MEDIA_TYPES: Mapping[str, str] = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "bmp": "image/bmp",
    "png": "image/png",
    "gif": "image/gif",
    "pdf": "application/pdf",
}
FORMATS = tuple(MEDIA_TYPES)

_FORMAT = ErrorCode.ATTACHMENT_FORMAT.name
# Only characters that have no meaning in a URL, so that every program reads the same path.
path_form = pattern(
    rf"(?i)(?:(?!\.\.?/)[^/%?#;\\]+/)*[^/%?#;\\]+\.(?:{'|'.join(FORMATS)})",
    Rule(
        _FORMAT,
        f"must be a relative path to a {', '.join(FORMATS)}, "
        "without % ? # ; \\ and without empty or dot segments",
    ),
)
_OWN = Rule(_FORMAT, "must be the answer to an upload: the customer's id, a slash, the name")


def not_of_an_upload(customer_id: str, paths: Iterable[str]) -> tuple[FieldError, ...]:
    """The errors of the paths that cannot be the answer to an upload for this customer."""
    own = re.compile(f"{re.escape(customer_id)}/{ATTACHMENT_NAME}").fullmatch
    return tuple(_OWN.at(f"/attachments/{n}") for n, path in enumerate(paths) if not own(path))


def wrong_number(document: str, attachments: Sized) -> Rule | None:
    """The rule that the number of attachments breaks; None if it fits the document type."""
    pictures = PERSON.get(document)
    if pictures is None or len(attachments) == len(pictures):
        return None
    text = f"must have {len(pictures)} entries: {', '.join(pictures)}"
    return Rule(ErrorCode.EVIDENCE_REQUIRED.name, text)


HEAD = 32  # bytes at the beginning of a file that show its format
_BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}  # the lengths of the known versions


def _is_bmp(head: bytes) -> bool:
    """Many texts begin with BM, so check the reserved bytes and the length of the header too."""
    return (
        head.startswith(b"BM")
        and head[6:10] == bytes(4)
        and int.from_bytes(head[14:18], "little") in _BMP_HEADERS
    )


def media_type(head: bytes) -> str | None:
    """The media type of a file, by its first HEAD bytes; None if the format is not in FORMATS."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    return "image/bmp" if _is_bmp(head) else None
