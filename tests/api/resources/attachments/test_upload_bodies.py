"""The bodies of uploads: in chunks, as a form, compressed."""

from __future__ import annotations

import gzip
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.api.uploads import MOST_HELD
from tests.api.resources.attachments.test_attachments import FOLDER, JPEG, MAX_BYTES, refused
from tests.support.gateway import bearer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import upload

CHUNKED: dict[str, Any] = {  # as gunicorn delivers a body in chunks
    "wsgi.input_terminated": True,
    "HTTP_TRANSFER_ENCODING": "chunked",
}


def upload_in_chunks(client: FlaskClient, content: bytes, **headers: str) -> TestResponse:
    """Upload a file as gunicorn delivers a body in chunks: without a length."""
    return client.put(
        f"{FOLDER}/a.jpg",
        input_stream=io.BytesIO(content),
        headers=bearer() | headers,
        environ_overrides=CHUNKED,
    )


@pytest.mark.parametrize("size", [len(JPEG), 64 * 1024, 64 * 1024 + 1, MAX_BYTES])
def test_an_upload_in_chunks_is_stored_byte_for_byte(
    client: FlaskClient, sandbox: SandboxDriver, size: int
) -> None:
    content = JPEG + bytes(size - len(JPEG))
    assert upload_in_chunks(client, content).status_code == 201
    (stored,) = sandbox.objects()
    assert (stored["size"], stored["sha256"]) == (size, sha256(content).hexdigest())


@pytest.mark.parametrize(
    ("content", "status", "ours"),
    [
        (JPEG + bytes(MAX_BYTES), 413, "PAYLOAD_TOO_LARGE"),
        (JPEG + bytes(MAX_BYTES - len(JPEG) + 1), 413, "PAYLOAD_TOO_LARGE"),
        (b"", 400, "BAD_REQUEST"),
        (b"GIF89a", 422, "ATTACHMENT_FORMAT"),
    ],
)
def test_an_upload_in_chunks_has_the_limits_of_any_upload(
    client: FlaskClient, sandbox: SandboxDriver, content: bytes, status: int, ours: str
) -> None:
    for _ in range(MOST_HELD + 1):  # a refused upload gives its place back
        refused(sandbox, upload_in_chunks(client, content), status, ours)


class Held(io.RawIOBase):
    """A body whose sender waits before it sends the file."""

    def __init__(self, arrived: threading.Semaphore, go_on: threading.Event) -> None:
        self._arrived = arrived
        self._go_on = go_on
        self._content = io.BytesIO(JPEG)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._arrived.release()
        assert self._go_on.wait(30)
        return self._content.readinto(buffer)


def test_only_some_uploads_in_chunks_are_held_at_a_time(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    arrived, go_on = threading.Semaphore(0), threading.Event()
    app = client.application

    def put(_: int) -> int:
        return (
            app.test_client()
            .put(
                f"{FOLDER}/a.jpg",
                headers=bearer(),
                environ_overrides=CHUNKED | {"wsgi.input": Held(arrived, go_on)},
            )
            .status_code
        )

    with ThreadPoolExecutor(MOST_HELD) as threads:
        held = [threads.submit(put, place) for place in range(MOST_HELD)]
        for _ in held:
            assert arrived.acquire(timeout=30)
        refused(sandbox, upload_in_chunks(client, JPEG), 503, "OVERLOADED")
        assert upload(client, "b.jpg", JPEG).status_code == 201  # with a length: not held
        go_on.set()
        assert [one.result(30) for one in held] == [201] * MOST_HELD
    assert upload_in_chunks(client, JPEG).status_code == 201


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=x", "Multipart/Form-Data"])
def test_a_form_instead_of_the_file_is_refused_by_its_media_type(
    client: FlaskClient, sandbox: SandboxDriver, media_type: str
) -> None:
    form = b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\n" + JPEG + b"\r\n--x--\r\n"
    response = upload(client, "a.jpg", form, content_type=media_type)
    refused(sandbox, response, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert "the bytes of the file themselves" in response.get_json()["detail"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "gzip, gzip"])
def test_a_compressed_upload_is_refused(
    client: FlaskClient, sandbox: SandboxDriver, encoding: str
) -> None:
    for content in (JPEG, gzip.compress(JPEG)):
        headers = bearer() | {"Content-Encoding": encoding}
        response = client.put(f"{FOLDER}/a.jpg", data=content, headers=headers)
        refused(sandbox, response, 415, "UNSUPPORTED_MEDIA_TYPE")
    response = upload_in_chunks(client, JPEG, **{"Content-Encoding": encoding})
    refused(sandbox, response, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_an_upload_with_the_encoding_identity_is_accepted(client: FlaskClient) -> None:
    headers = bearer() | {"Content-Encoding": "identity"}
    assert client.put(f"{FOLDER}/a.jpg", data=JPEG, headers=headers).status_code == 201
