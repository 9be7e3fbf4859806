"""The deadlines of a download, and that it keeps nothing after it is closed."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from app.errors import ErrorCode, GatewayError
from app.huawei.transport import Download, Endpoint
from app.huawei.transport.response import MAX_RECEIVED
from app.huawei.transport.watch import WATCH
from app.settings import Settings
from tests.support.connect_proxy import drip
from tests.support.gateway import altered
from tests.support.raw_upstream import SUCCESS, RawUpstream, answer

LIMIT = 10  # seconds; only a failing test waits this long
WITHIN = 1.0  # seconds
SLACK = 2.0  # seconds that a busy machine may take
CONTENT = SUCCESS.partition(b"\r\n\r\n")[2]


def opened(endpoint: Endpoint, longest: float) -> Download:
    reply = endpoint.send("GET", "/", {}, None, writes=False, longest=longest)
    assert reply.rest is not None
    return reply.rest


@pytest.mark.parametrize("sent", [SUCCESS, SUCCESS[:-9]], ids=["whole", "broken off"])
def test_a_closed_download_leaves_no_deadline(settings: Settings, sent: bytes) -> None:
    before = len(WATCH)
    with RawUpstream(lambda connection: connection.sendall(sent)) as upstream:
        endpoint = Endpoint(upstream.url, settings.accounts["default"])
        for _ in range(5):
            with opened(endpoint, longest=3600) as download, contextlib.suppress(GatewayError):
                assert len(WATCH) > 0
                while download.read():
                    pass
    assert len(WATCH) <= before


@pytest.mark.parametrize(
    ("patience", "longest", "code"),
    [(WITHIN, LIMIT, "UPSTREAM_ERROR"), (LIMIT, WITHIN, "DEADLINE_EXCEEDED")],
)
def test_a_piece_whose_bytes_drip_ends_at_its_deadline(
    settings: Settings, patience: float, longest: float, code: str
) -> None:
    def dripping(connection: socket.socket) -> None:
        connection.sendall(answer(200, bytes(1000)).removesuffix(bytes(1000)))
        drip(connection, bytes(1000))

    account = altered(settings, timeouts={"read": patience}).accounts["default"]
    with RawUpstream(dripping) as upstream:
        begun = time.monotonic()
        with opened(Endpoint(upstream.url, account), longest) as download:
            with pytest.raises(GatewayError) as failed:
                download.read()
            assert WITHIN - 0.1 < time.monotonic() - begun < WITHIN + SLACK
    assert failed.value.code is ErrorCode[code]


def test_a_reader_may_pause_for_longer_than_a_piece_may_take(settings: Settings) -> None:
    account = altered(settings, timeouts={"read": WITHIN}).accounts["default"]
    with RawUpstream() as upstream, opened(Endpoint(upstream.url, account), LIMIT) as download:
        for expected in (CONTENT[:3], CONTENT[3:6]):
            assert not upstream.closed.acquire(timeout=1.5 * WITHIN)
            assert download.read(3) == expected
        assert download.read() == CONTENT[6:]
        assert download.read() == b""


CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DAMAGED = {
    "no number": b"none\r\n",
    "a negative chunk": b"-5\r\n12345\r\n0\r\n\r\n",
    "a chunk that http.client reads to the end": b"-1\r\n" + bytes(2 * MAX_RECEIVED),
}


@pytest.mark.parametrize("chunks", DAMAGED.values(), ids=DAMAGED)
def test_a_download_with_a_damaged_chunk_is_refused_at_once(
    settings: Settings, chunks: bytes
) -> None:
    account = altered(settings, timeouts={"read": LIMIT}).accounts["default"]
    with (
        RawUpstream(CHUNKS + chunks) as upstream,
        opened(Endpoint(upstream.url, account), 3 * LIMIT) as download,
    ):
        begun = time.monotonic()
        with pytest.raises(GatewayError) as failed:
            download.read()
        assert time.monotonic() - begun < LIMIT / 2
    assert (failed.value.code, failed.value.write) == (ErrorCode.UPSTREAM_ERROR, False)


def test_a_download_in_the_smallest_chunks_may_have_any_length(settings: Settings) -> None:
    length = MAX_RECEIVED // 3
    with (
        RawUpstream(CHUNKS + b"1\r\nx\r\n" * length + b"0\r\n\r\n") as upstream,
        opened(Endpoint(upstream.url, settings.accounts["default"]), LIMIT) as download,
    ):
        assert sum(map(len, iter(download.read, b""))) == length
