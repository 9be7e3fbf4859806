"""Which answers of an arbitrary upstream are a success."""

from __future__ import annotations

from typing import Any

import pytest

from app import create_app
from app.settings import Settings
from tests.support.gateway import altered, submit
from tests.support.raw_upstream import RawUpstream, answer


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, '{"error_code":"CBC.0000"}'),
        (201, '{"error_code":"CBC.0000"}'),
        (200, '\ufeff{"error_code":"CBC.0000"}'),
        (200, '{"error_code":"CBC.0000","what_is_new":[]}'),
    ],
)
def test_a_2xx_with_the_code_of_success_is_a_success(
    settings: Settings, status: int, body: str
) -> None:
    with RawUpstream(answer(status, body)) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert submit(client).status_code == 201


def test_a_chunked_answer_of_huawei_is_read(settings: Settings) -> None:
    pieces = (b'{"error_code":', b'"CBC.0000"}', b"")
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    with RawUpstream(reply) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert [submit(client).status_code for _ in range(3)] == [201] * 3
    assert upstream.connections == 1


BROKEN = {
    "no HTTP at all": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "an empty answer": b"",
    "a header line without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200 + b"\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a malformed chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "a number with 5000 digits": answer(200, '{"a":' + "1" * 5000 + "}"),
    "nested 100000 deep": answer(200, "[" * 100_000),
    "not UTF-8": answer(200, b'{"a":"\xff"}'),
    "gzip that nobody asked for": answer(200, b"\x1f\x8b\x08\x00", "Content-Encoding: gzip"),
    "no content": answer(204),
    "a string": answer(200, '"CBC.0000"'),
}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
def test_an_unreadable_answer_leaves_the_outcome_of_a_write_unknown(
    settings: Settings, reply: bytes
) -> None:
    def send(connection: Any) -> None:
        connection.sendall(reply)

    with RawUpstream(send) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        response = submit(client)
    assert (response.status_code, response.get_json()["code"]) == (504, "OUTCOME_UNKNOWN")
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        '{"error_code":"SOMETHING"}',
        '{"error_code":5002,"error_msg":"x"}',
        '{"error_code":"1100","error_msg":"x"}',
        '{"errorCode":"cbc.5002"}',
    ],
)
def test_a_2xx_with_a_code_of_another_form_is_not_a_success(settings: Settings, body: str) -> None:
    with RawUpstream(answer(200, body)) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        response = submit(client)
    assert response.status_code >= 500


@pytest.mark.parametrize(("size", "status"), [(1024 * 1024, 201), (1024 * 1024 + 1, 504)])
def test_an_answer_of_one_mebibyte_is_read(settings: Settings, size: int, status: int) -> None:
    body = b'{"error_code":"CBC.0000"}'.ljust(size)
    with RawUpstream(answer(200, body)) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert submit(client).status_code == status
