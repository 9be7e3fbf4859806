"""`make run`: the gateway and the sandbox until Ctrl-C, or while a command runs."""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NoReturn

from demo import resettable
from demo.local import KEY, Local

PORT, SANDBOX_PORT, METRICS_PORT = 8080, 8090, 9090
RESETTABLE = "demo.resettable:application()"
# As fast as the gateway's configuration allows, and no limit of the sandbox.
UNPACED = ({"requests_per_second": 1000}, {"requests_per_second": None})

EXAMPLE = """
gateway  {url}        docs at {url}/docs
sandbox  {sandbox}        metrics at {metrics}

  curl -i {url}/v1/customers/cust-0001/verifications/individual \\
    -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
    -d '{body}'

Both forget everything by

  curl -i -X POST {url}{reset}

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


def _file(path: str) -> IO[bytes]:
    try:
        return Path(path).open("wb+")
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {error.strerror}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo.serve", description=__doc__)
    default = "{} or, with a command, a free one; 0 picks a free one"
    parser.add_argument("--port", type=int, help=f"of the gateway: {default.format(PORT)}")
    parser.add_argument("--sandbox-port", type=int, help=default.format(SANDBOX_PORT))
    parser.add_argument("--metrics-port", type=int, help=default.format(METRICS_PORT))
    parser.add_argument(
        "--unpaced",
        action="store_true",
        help="as many calls a second as the machine can: neither the gateway nor the sandbox keeps "
        "Huawei's quota of 10 calls a second",
    )
    parser.add_argument("--log", type=_file, help="file for the logs; else standard error")
    parser.add_argument(
        "command",
        nargs="*",
        help="a command to run, behind `--`; its environment has GATEWAY, SANDBOX and KEY, and its "
        "exit status is the result",
    )
    return parser


def _run(command: Sequence[str], local: Local) -> int:
    """Run the command of the user. Returns its exit status."""
    variables = {"GATEWAY": local.url, "SANDBOX": f"{local.sandbox_url}/_sandbox", "KEY": KEY}
    try:
        done = subprocess.run(command, env={**os.environ, **variables}, check=False)  # noqa: S603
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def _serve(local: Local) -> int:
    """Print the addresses and serve. Returns 1 when the gateway ends before a signal."""
    sys.stdout.write(
        EXAMPLE.format(
            url=local.url,
            sandbox=local.sandbox_url,
            metrics=local.metrics_url,
            key=KEY,
            body=BODY,
            reset=resettable.PATH,
        )
    )
    sys.stdout.flush()
    local.processes[-1].wait()
    return 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve gateway and sandbox. Returns 1 if a port is in use; else the command's exit status."""
    options = _parser().parse_args(arguments)

    def chosen(asked: int | None, usual: int) -> int:
        return (0 if options.command else usual) if asked is None else asked

    ports = (
        chosen(options.port, PORT),
        chosen(options.sandbox_port, SANDBOX_PORT),
        chosen(options.metrics_port, METRICS_PORT),
    )
    if taken := [str(port) for port in ports if _taken(port)]:
        sys.stderr.write(f"in use by another program: port {', '.join(taken)}\n")
        return 1
    quota, sandbox = UNPACED if options.unpaced else (None, None)
    signal.signal(signal.SIGTERM, _end)
    local = Local(*ports, options.log, application=RESETTABLE, quota=quota, sandbox=sandbox)
    with options.log or contextlib.nullcontext(), local:
        try:
            return _run(options.command, local) if options.command else _serve(local)
        except KeyboardInterrupt:
            sys.stdout.write("\nstopping\n")
            return 130 if options.command else 0


if __name__ == "__main__":
    sys.exit(main())
