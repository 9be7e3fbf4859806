"""Many connections to a gateway at once, and the time that a probe takes meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from tests.support.gunicorn_process import ServedGateway
from tests.support.raw_client import Wire

PROBE_LIMIT = 3.0  # seconds; the kubelet's patience


@contextmanager
def connections(
    url: str,
    number: int,
    content: Callable[[int], bytes] = lambda _: b"",
    receive_buffer: int | None = None,
) -> Iterator[list[Wire]]:
    """Connections that have sent something; leaving the context closes them.

    Args:
        url: The URL of the port.
        number: The number of connections.
        content: What each sends, by its number.
        receive_buffer: The size of their receive buffers; a small one makes slow readers.
    """
    with ExitStack() as stack:
        wires = []
        for place in range(number):
            wires.append(stack.enter_context(Wire(url, receive_buffer)))
            wires[-1].send(content(place))
        yield wires


def check_probes(gateway: ServedGateway) -> None:
    """Assert that probes and metrics are answered in time on the operations port."""
    for path in ("/livez", "/readyz", "/metrics"):
        begun = time.monotonic()
        assert gateway.operate(path).status_code == 200
        assert time.monotonic() - begun < PROBE_LIMIT


def memory(process: int) -> int:
    """The largest resident memory of a process so far, in MiB."""
    with open(f"/proc/{process}/status") as status:
        (line,) = (one for one in status if one.startswith("VmHWM"))
    return int(line.split()[1]) // 1024
