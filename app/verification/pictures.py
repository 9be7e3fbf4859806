"""The attachments of a verification: their formats, and what the pictures must show.

Source: mc_00017 to mc_00019 and the models of huaweicloudsdkbssintl 3.1.219.
"""

from collections.abc import Mapping

MAX_PICTURES = 4
MAX_BYTES = 10 * 1024 * 1024  # "10 MB" on the pages

# In this order. Huawei's texts disagree on companies: the international SDK names front and back
# of the certificate, the China pages (2025-12) one picture of it; the representative's two
# follow. So a company's number of pictures is only held to 1 to 4.
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

HEAD = 32  # bytes at the beginning of a file that tell its type
_BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}  # the lengths of the known versions


def _is_bmp(head: bytes) -> bool:
    """Two letters alone begin many texts: the reserved bytes and the header's length count too."""
    return (
        head.startswith(b"BM")
        and head[6:10] == bytes(4)
        and int.from_bytes(head[14:18], "little") in _BMP_HEADERS
    )


def media_type(head: bytes) -> str | None:
    """The true media type of a file by its first HEAD bytes; None if it is none of FORMATS."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    return "image/bmp" if _is_bmp(head) else None
