"""The media type of a file, detected by its first bytes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.verification.pictures import FORMATS, HEAD, MEDIA_TYPES, media_type

BMP_VERSIONS = (12, 40, 52, 56, 64, 108, 124)


def bmp(header: int = 40, reserved: bytes = bytes(4), size: int = 1000) -> bytes:
    """The header of a bitmap file."""
    start = b"BM" + size.to_bytes(4, "little") + reserved + (54).to_bytes(4, "little")
    return start + header.to_bytes(4, "little") + b"\x01" * 14


SIGNATURES = {
    "image/jpeg": [b"\xff\xd8\xff"],
    "image/png": [b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"],
    "image/gif": [b"GIF87a", b"GIF89a"],
    "application/pdf": [b"%PDF-"],
    "image/bmp": [bmp(version) for version in BMP_VERSIONS],
}
ALL = [(media, start) for media, starts in SIGNATURES.items() for start in starts]

TEXTS = (
    b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    b"BMW is a maker of cars, and this is a text about it.",
    b"BM" + b" " * 40,
    b"GIF88a and so on",
    b"GIF89",
    b"PNG\r\n\x1a\n",
    b"\x89PNG\r\n\x1a\nNOT-A-HEADER",
    b"%pdf-1.7",
    b" %PDF-1.7",
    b"\n\xff\xd8\xff",
    b"\xff\xd8",
    b"PK\x03\x04 a zip",
    b"MZ a program",
    b"#!/bin/sh",
    b"",
)


@pytest.mark.parametrize(("media", "start"), ALL)
def test_a_file_format_is_recognised_by_its_signature_alone(media: str, start: bytes) -> None:
    for rest in (b"", b"\x00" * HEAD, b"\xff" * HEAD, b"<html>"):
        assert media_type((start + rest)[: max(HEAD, len(start))]) == media


@pytest.mark.parametrize("text", TEXTS)
def test_bytes_that_only_resemble_a_file_signature_are_not_recognised(text: bytes) -> None:
    assert media_type(text[:HEAD]) is None


@st.composite
def flawed(draw: st.DrawFn) -> bytes:
    """A file signature with some bytes changed."""
    head = bytearray(draw(st.sampled_from(ALL))[1])
    for _ in range(draw(st.integers(0, 2))):
        head[draw(st.integers(0, len(head) - 1))] = draw(st.integers(0, 255))
    return bytes(head) + draw(st.binary(max_size=HEAD))


@given(st.binary(max_size=2 * HEAD) | flawed())
@example(b"BM" + bytes(30))
def test_arbitrary_bytes_are_recognised_only_by_a_whole_file_signature(head: bytes) -> None:
    png = head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR"
    bitmap = head[:2] == b"BM" and head[6:10] == bytes(4)
    expected = {
        "image/jpeg": head.startswith(b"\xff\xd8\xff"),
        "image/png": png,
        "image/gif": head.startswith((b"GIF87a", b"GIF89a")),
        "application/pdf": head.startswith(b"%PDF-"),
        "image/bmp": bitmap and int.from_bytes(head[14:18], "little") in BMP_VERSIONS,
    }
    assert media_type(head) == next((media for media, fits in expected.items() if fits), None)


@given(st.text(max_size=HEAD))
def test_a_text_of_letters_is_never_recognised_as_an_attachment(text: str) -> None:
    content = text.encode()
    # A PDF and a GIF start with letters; their short signatures allow no further check.
    if not content.startswith((b"%PDF-", b"GIF87a", b"GIF89a")):
        assert media_type(content[:HEAD]) is None or b"\x00" in content


@given(st.text(alphabet=st.characters(min_codepoint=9, max_codepoint=126), max_size=HEAD))
def test_a_text_that_begins_with_bm_is_not_a_bitmap(text: str) -> None:
    assert media_type(b"BM" + text.encode()) is None


@given(st.binary(min_size=4, max_size=4).filter(any))
def test_a_bitmap_with_non_zero_reserved_bytes_is_refused(reserved: bytes) -> None:
    assert media_type(bmp(reserved=reserved)) is None


@given(st.integers(0, 2**32 - 1).filter(lambda number: number not in BMP_VERSIONS))
@example(40 + 2**24)
def test_a_bitmap_with_an_unknown_header_version_is_refused(header: int) -> None:
    assert media_type(bmp(header=header)) is None


@given(st.integers(0, 2**32 - 1), st.sampled_from(BMP_VERSIONS))
def test_a_bitmap_may_have_any_size(size: int, header: int) -> None:
    assert media_type(bmp(header=header, size=size)) == "image/bmp"


def test_every_attachment_format_has_a_recognised_media_type() -> None:
    assert set(FORMATS) == {"jpg", "jpeg", "bmp", "png", "gif", "pdf"}
    assert set(MEDIA_TYPES.values()) == set(SIGNATURES)
