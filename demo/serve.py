"""`make run`: the gateway and the sandbox until Ctrl-C."""

import signal
import sys
from typing import NoReturn

from demo.local import KEY, Local

PORT, SANDBOX_PORT, METRICS_PORT = 8080, 8090, 9090

EXAMPLE = """
gateway  {url}        docs at {url}/docs
sandbox  {sandbox}        metrics at {metrics}

  curl -i {url}/v1/customers/cust-0001/verifications/individual \\
    -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
    -d '{{"full_name": "ZHANG SAN", "document": {{"type": "PASSPORT", "number": "E1234567"}}, \\
"partner_user_id": "shop-981"}}'

Ctrl-C ends both.
"""


def _end(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Serve gateway and sandbox until a signal."""
    signal.signal(signal.SIGTERM, _end)
    with Local(PORT, SANDBOX_PORT, METRICS_PORT) as local:
        sys.stdout.write(
            EXAMPLE.format(
                url=local.url, sandbox=local.sandbox_url, metrics=local.metrics_url, key=KEY
            )
        )
        sys.stdout.flush()
        try:
            local.processes[-1].wait()
        except KeyboardInterrupt:
            sys.stdout.write("\nstopping\n")


if __name__ == "__main__":
    main()
