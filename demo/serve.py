"""`make run`: the gateway and the sandbox until Ctrl-C."""

import argparse
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from demo.local import KEY, Local

PORT, SANDBOX_PORT, METRICS_PORT = 8080, 8090, 9090

EXAMPLE = """
gateway  {url}        docs at {url}/docs
sandbox  {sandbox}        metrics at {metrics}

  curl -i {url}/v1/customers/cust-0001/verifications/individual \\
    -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
    -d '{body}'

Ctrl-C ends both.
"""
BODY = (
    '{"full_name": "ZHANG SAN", "document": {"type": "PASSPORT", "number": "E1234567"}, '
    '"partner_user_id": "shop-981"}'
)


def _taken(port: int) -> bool:
    """Whether another program listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _end(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve gateway and sandbox until a signal. Returns 1 if a port is in use."""
    parser = argparse.ArgumentParser(prog="python -m demo.serve", description=__doc__)
    parser.add_argument("--port", default=PORT, type=int, help="of the gateway; 0 picks one")
    parser.add_argument("--sandbox-port", default=SANDBOX_PORT, type=int, help="0 picks one")
    parser.add_argument("--metrics-port", default=METRICS_PORT, type=int, help="0 picks one")
    options = parser.parse_args(arguments)
    ports = (options.port, options.sandbox_port, options.metrics_port)
    if taken := [str(port) for port in ports if _taken(port)]:
        sys.stderr.write(f"in use by another program: port {', '.join(taken)}\n")
        return 1
    signal.signal(signal.SIGTERM, _end)
    with Local(*ports) as local:
        sys.stdout.write(
            EXAMPLE.format(
                url=local.url,
                sandbox=local.sandbox_url,
                metrics=local.metrics_url,
                key=KEY,
                body=BODY,
            )
        )
        sys.stdout.flush()
        try:
            local.processes[-1].wait()
        except KeyboardInterrupt:
            sys.stdout.write("\nstopping\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
