"""Huawei's error code is read beside a damaged text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import create_app
from app.huawei.answer import json_object
from app.settings import Settings
from tests.support.gateway import altered, code, submit
from tests.support.raw_upstream import RawUpstream, answer

TEXTS = {
    "GBK": "客户已经实名认证".encode("gbk"),
    # The second byte of these letters is a backslash, a brace or a bar.
    "GBK that holds ASCII": "乗乚亅亊倈僜".encode("gbk"),
    "latin-1": "Déjà authentifié".encode("latin-1"),
    "UTF-8 cut in the middle of a letter": "客户已经".encode()[:-1],
    # In GBK the last byte of the letter before the quotation mark takes its backslash.
    "UTF-8 cut after a quotation": '證\\"已\\"客'.encode()[:-1],
    "a raw line break": b"first line\nsecond\tline",
    "a NUL": b"a\0b",
    "an empty text": b"",
}
CODES = {"CBC.99007188": "ALREADY_VERIFIED_OR_IN_REVIEW", "CBC.5002": "CUSTOMER_NOT_FOUND"}


def body(number: str, text: bytes, *, text_first: bool = True) -> bytes:
    """An answer of Huawei with these bytes as its text."""
    members = [b'"error_msg":"%b"' % text, b'"error_code":"%b"' % number.encode()]
    return b"{%b}" % b",".join(members if text_first else reversed(members))


@pytest.mark.parametrize("first", [True, False], ids=["text first", "code first"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_error_code_is_read_beside_a_damaged_text(
    settings: Settings, text: bytes, first: bool
) -> None:
    with RawUpstream() as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        for number, expected in CODES.items():
            upstream.reply = answer(400, body(number, text, text_first=first))
            response = submit(client)
            assert code(response) == expected
            assert response.get_json()["upstream"]["code"] == number
        for mark in (b"", b"\xef\xbb\xbf"):
            upstream.reply = answer(200, mark + body("CBC.0000", text, text_first=first))
            assert submit(client).status_code == 201


def test_a_numeric_error_code_is_reported(settings: Settings) -> None:
    with RawUpstream(answer(400, b'{"error_code":5002,"error_msg":"x"}')) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        problem = submit(client).get_json()
    assert (problem["code"], problem["upstream"]["code"]) == ("UPSTREAM_UNMAPPED", "5002")


@pytest.mark.parametrize(
    "content",
    [
        b'{"error_code":"CBC.0000","error_code":"CBC.5002"}',
        b'{"error_code":"CBC.5002","error_code":"CBC.0000"}',
        b'{"error_code":"CBC.0000","a":NaN}',
        b'{"error_code":"CBC.0000"} {"error_code":"CBC.5002"}',
        b'{"error_code":"CBC.0000","error_msg":"no end',
    ],
)
def test_a_contradictory_or_truncated_answer_is_not_a_success(
    settings: Settings, content: bytes
) -> None:
    with RawUpstream(answer(200, content)) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert code(submit(client)) == "OUTCOME_UNKNOWN"


@given(st.text(st.characters(codec="gbk", exclude_characters='"\\'), max_size=30))
def test_the_error_code_is_read_beside_any_gbk_text(text: str) -> None:
    for number in ("CBC.99007188", "CBC.0000"):
        read = json_object(body(number, text.encode("gbk")))
        assert read is not None
        assert read["error_code"] == number


@given(st.binary(max_size=40))
def test_arbitrary_bytes_neither_crash_the_reading_nor_become_a_success(content: bytes) -> None:
    json_object(content)
    inside = content.replace(b'"', b"").replace(b"\\", b"")
    read = json_object(body("CBC.5002", inside))
    assert read is None or read["error_code"] == "CBC.5002"
