"""Uploads through gunicorn: raw sockets, aborted uploads, and memory."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import urlsplit

import pytest
import requests

from demo.local import KEY, Local
from tests.support.sandbox_driver import SandboxDriver

MIB = 1024 * 1024
JPEG = b"\xff\xd8\xff\xe0"
LARGEST = JPEG + b"MUSTERMANN" + bytes(10 * MIB - 14)
WHOLE = LARGEST[:-1]
CUSTOMER = "cust-served"

MEASURED = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells it")


class Served:
    """The gateway under gunicorn at DEBUG, its sandbox, and the log of both."""

    def __init__(self, local: Local, log: IO[bytes]) -> None:
        self.url = local.url
        self.address = (urlsplit(local.url).hostname, urlsplit(local.url).port)
        self.sandbox = SandboxDriver(local.sandbox_url)
        self._master = local.processes[1].pid
        self._log = log

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode()

    def put(self, name: str, content: bytes, headers: dict[str, str] | None = None) -> str:
        """Upload a file. Returns the error code; "" for a success."""
        with requests.Session() as session:
            session.trust_env = False
            response = session.put(
                f"{self.url}/v1/customers/{CUSTOMER}/attachments/{name}",
                data=content,
                headers={"Authorization": f"Bearer {KEY}", **(headers or {})},
                timeout=30,
            )
        return str(response.json().get("code", ""))

    def connect(self, path: str, *headers: str) -> socket.socket:
        """Open a connection and send the head of an upload."""
        connection = socket.create_connection(self.address, timeout=30)
        lines = (
            f"PUT /v1/customers/{CUSTOMER}/attachments/{path} HTTP/1.1",
            "Host: gateway",
            f"Authorization: Bearer {KEY}",
            *headers,
        )
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return connection

    def worker(self) -> Path:
        """The /proc folder of the worker process."""
        master = Path(f"/proc/{self._master}/task/{self._master}/children")
        return Path("/proc") / master.read_text().split()[0]

    def peak(self) -> int:
        """The peak memory of the worker in bytes."""
        text = (self.worker() / "status").read_text()
        return int(text.split("VmHWM:")[1].split()[0]) * 1024

    def forget_peak(self) -> int:
        """Reset the peak to the current memory of the worker."""
        (self.worker() / "clear_refs").write_text("5")
        return self.peak()


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    with (
        TemporaryFile() as log,
        Local(log=log, environment={"LOG_LEVEL": "DEBUG"}) as local,
    ):
        yield Served(local, log)


@pytest.fixture
def served(running: Served) -> Served:
    running.sandbox.reset()
    return running


def answer_of(connection: socket.socket) -> tuple[int, str]:
    """HTTP status and error code of the answer on a connection."""
    with closing(connection), connection.makefile("rb") as answer:
        status = int(answer.readline().split()[1])
        length = 0
        while line := answer.readline().strip().lower():
            name, _, value = line.partition(b":")
            length = int(value) if name == b"content-length" else length
        return status, json.loads(answer.read(length)).get("code", "")


def test_an_upload_arrives_byte_for_byte_under_gunicorn(served: Served) -> None:
    assert served.put("whole.jpg", WHOLE) == ""
    (stored,) = served.sandbox.objects()
    assert (stored["size"], stored["sha256"]) == (len(WHOLE), sha256(WHOLE).hexdigest())


def test_the_largest_upload_is_accepted_under_gunicorn(served: Served) -> None:
    assert served.put("largest.jpg", LARGEST) == ""


def test_an_upload_one_byte_too_long_is_refused_before_it_is_read(served: Served) -> None:
    length = f"Content-Length: {len(LARGEST) + 1}"
    assert answer_of(served.connect("a.jpg", length)) == (413, "PAYLOAD_TOO_LARGE")
    assert served.sandbox.requests() == []


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ((), b"", (400, "BAD_REQUEST")),
        (("Content-Length: 0",), b"", (400, "BAD_REQUEST")),
        (("Transfer-Encoding: chunked",), b"0\r\n\r\n", (400, "BAD_REQUEST")),
        (("Transfer-Encoding: chunked",), b"4\r\n\xff\xd8\xff\xe0\r\nx\r\n", (400, "BAD_REQUEST")),
    ],
)
def test_an_upload_without_content_or_with_broken_chunks_is_refused(
    served: Served, headers: tuple[str, ...], body: bytes, expected: tuple[int, str]
) -> None:
    connection = served.connect("a.jpg", *headers)
    connection.sendall(body)
    assert answer_of(connection) == expected
    assert served.sandbox.requests() == []


def test_an_upload_in_chunks_is_stored_byte_for_byte_under_gunicorn(served: Served) -> None:
    with requests.Session() as session:
        session.trust_env = False
        response = session.put(
            f"{served.url}/v1/customers/{CUSTOMER}/attachments/chunked.jpg",
            data=(WHOLE[at : at + MIB] for at in range(0, len(WHOLE), MIB)),
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=30,
        )
    assert response.status_code == 201
    (stored,) = served.sandbox.objects()
    assert (stored["size"], stored["sha256"]) == (len(WHOLE), sha256(WHOLE).hexdigest())


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (f"Content-Length: {len(JPEG)}", JPEG),
        ("Transfer-Encoding: chunked", b"4\r\n" + JPEG + b"\r\n0\r\n\r\n"),
    ],
)
def test_a_caller_that_expects_100_continue_gets_it_before_it_sends_the_file(
    served: Served, head: str, body: bytes
) -> None:
    connection = served.connect("a.jpg", head, "Expect: 100-continue")
    interim = b""
    while not interim.endswith(b"\r\n\r\n"):
        interim += connection.recv(1)
    assert interim.startswith(b"HTTP/1.1 100 ")
    connection.sendall(body)
    assert answer_of(connection) == (201, "")


@pytest.mark.parametrize("path", ["..", "%2e%2e", "a%2Fb.jpg", "..%2F..%2Fa.jpg", ".a.jpg", "a//b"])
def test_a_malformed_upload_path_is_a_404_under_gunicorn(served: Served, path: str) -> None:
    status, code = answer_of(served.connect(path, f"Content-Length: {len(JPEG)}"))
    assert (status, code) == (404, "NOT_FOUND")
    assert served.sandbox.requests() == []


@pytest.mark.parametrize("sent", [2, 100, 5 * MIB])
@pytest.mark.parametrize("abort", [False, True], ids=["closes", "resets"])
def test_an_upload_that_the_caller_aborts_is_not_stored(
    served: Served, sent: int, abort: bool
) -> None:
    connection = served.connect("cut.jpg", f"Content-Length: {len(WHOLE)}")
    connection.sendall(WHOLE[:sent])
    if abort:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()
    else:
        connection.shutdown(socket.SHUT_WR)
        assert answer_of(connection) in [(400, "BAD_REQUEST"), (422, "ATTACHMENT_FORMAT")]
    # The gateway still serves, and accepts the whole file.
    assert served.put("whole.jpg", WHOLE) == ""
    assert [one["key"] for one in served.sandbox.objects()] == [f"download/{CUSTOMER}/whole.jpg"]


def test_a_long_upload_of_another_format_is_refused(served: Served) -> None:
    assert served.put("a.png", b"<!DOCTYPE html>" + bytes(5 * MIB)) == "ATTACHMENT_FORMAT"
    assert served.put("a.jpg", JPEG) == ""


@MEASURED
def test_uploads_are_streamed_and_not_held_in_memory(served: Served) -> None:
    served.put("warm.jpg", WHOLE)
    before = served.forget_peak()
    codes: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: codes.append(served.put(f"{n}.jpg", WHOLE)))
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [""] * 6
    assert len(served.sandbox.objects()) == 7
    assert served.peak() - before < 25 * MIB  # of the sixty sent


def test_neither_content_nor_name_of_an_upload_is_logged_at_debug(served: Served) -> None:
    assert served.put("a.jpg", WHOLE[: 64 * 1024]) == ""
    assert served.put("a.png", WHOLE[: 64 * 1024]) == "ATTACHMENT_FORMAT"
    served.sandbox.fault("obs", "html", count=1)
    assert served.put("a.jpg", WHOLE[: 64 * 1024]) == "UPSTREAM_MALFORMED"
    log = served.log()
    assert "upload_attachment" in log
    assert "MUSTERMANN" not in log
    assert "obs-secret" not in log
    assert KEY not in log
