"""Memory of uploads in progress."""

import http.client
import time
from collections.abc import Iterator

from benchmarks.bench import Bench, Row, at_most
from benchmarks.servers import KEYS, Server, gateway

UPLOADS = 20
SIZE = 10_000_000  # bytes
SENT = 9_000_000
PICTURE = b"\xff\xd8\xff\xe0" + bytes(SIZE - 4)  # the signature of a JPEG
SETTLE = 30.0  # seconds


def _begin(server: Server, number: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest("PUT", f"/v1/customers/upload-{number}/attachments/page.jpg")
    connection.putheader("Authorization", f"Bearer {KEYS['crm']}")
    connection.putheader("Content-Type", "image/jpeg")
    connection.putheader("Content-Length", str(SIZE))
    connection.endheaders()
    connection.send(PICTURE[:SENT])
    return connection


def _end(connection: http.client.HTTPConnection) -> None:
    connection.send(PICTURE[SENT:])
    response = connection.getresponse()
    response.read()
    connection.close()
    if response.status != 201:
        raise RuntimeError(f"an upload was answered with {response.status}")


def measure(bench: Bench) -> Iterator[Row]:
    """Hold uploads at nine tenths of their content, read the memory, and end the uploads."""
    with gateway(bench.folder, bench.upstream.fast, project=bench.project) as server:
        _end(_begin(server, 0))
        before = max(server.memory.values())
        uploads = [_begin(server, number) for number in range(1, UPLOADS + 1)]
        # When its CPU time no longer grows, the gateway has forwarded every received byte.
        used, ends = -1.0, time.monotonic() + SETTLE
        while used != server.cpu and time.monotonic() < ends:
            used = server.cpu
            time.sleep(0.5)
        grown = max(server.memory.values()) - before
        for upload in uploads:
            _end(upload)
    figure = f"memory of a 10 MB upload in progress ({UPLOADS} at once)"
    yield at_most(figure, grown / UPLOADS, 2, " MiB")
