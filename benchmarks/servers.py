"""The commands that start the gateway and its peers against an upstream."""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import PROJECT, Process
from benchmarks.upstream import nginx
from demo.local import (
    ACCESS_KEY,
    BUCKET,
    BUCKET_ACCESS_KEY,
    BUCKET_SECRET_KEY,
    PARTNER_ID,
    PLATFORM_ID,
    REGION,
    SECRET_KEY,
    free_port,
)

BENCH_PYTHON = PROJECT / ".tools/bench/bin/python"
# The highest configurable quota is 1000 calls a second for each account: four callers
# with an account each never wait for it.
CALLERS = ("billing", "crm", "shop", "support")
KEYS = {name: f"key-of-{name}" for name in CALLERS}
HIGHEST_QUOTA = 1000
PARTNER = {  # for the peers
    "PARTNER_ID": PARTNER_ID,
    "PLATFORM_ID": PLATFORM_ID,
    "ACCESS_KEY": ACCESS_KEY,
    "SECRET_KEY": SECRET_KEY,
}


def configuration(
    folder: Path,
    upstream: str,
    *,
    callers: int = len(CALLERS),
    accounts: int = len(CALLERS),
    first_quota: float = HIGHEST_QUOTA,
    max_waiting: int | None = None,
    ca_file: Path | None = None,
) -> dict[str, Any]:
    """The configuration of the gateway.

    Args:
        folder: Where key files are written.
        upstream: The URL of the stand-in for Huawei.
        callers: The number of callers; the callers that send come last.
        accounts: The number of accounts, assigned to the callers round-robin.
        first_quota: The quota of the first account in calls a second.
        max_waiting: The number of requests that a caller may have in progress.
        ca_file: The certificate authority of upstream.
    """
    files = {}
    pairs = {"key": (ACCESS_KEY, SECRET_KEY), "bucket": (BUCKET_ACCESS_KEY, BUCKET_SECRET_KEY)}
    for name, (access_key, secret_key) in pairs.items():
        (folder / f"{name}.access").write_text(access_key)
        (folder / f"{name}.secret").write_text(secret_key)
        files[name] = {
            "access_key_file": str(folder / f"{name}.access"),
            "secret_key_file": str(folder / f"{name}.secret"),
        }
    account: dict[str, Any] = {
        "endpoint": upstream,
        "partner_id": PARTNER_ID,
        "platform_id": PLATFORM_ID,
        "credentials": [files["key"]],
        "attachments": {
            "endpoint": upstream.replace("127.0.0.1", "localhost"),
            "bucket": BUCKET, "region": REGION, **files["bucket"],
        },
        "quota": {"requests_per_second": HIGHEST_QUOTA},
        **({"ca_file": str(ca_file)} if ca_file else {}),
    }  # fmt: skip
    spare = [f"caller-{number}" for number in range(callers - len(CALLERS))]
    names = [*spare, *CALLERS][-callers:]
    account_names = [f"account-{number}" for number in range(accounts)]
    bound = {} if max_waiting is None else {"max_waiting": max_waiting}
    first = account | {"quota": {"requests_per_second": first_quota}}
    return {
        "accounts": dict.fromkeys(account_names, account) | {account_names[0]: first},
        "callers": {
            name: {
                "keys_sha256": [sha256(KEYS.get(name, secrets.token_hex()).encode()).hexdigest()],
                "scopes": [
                    "verifications:write",
                    "verifications:read",
                    "attachments:write",
                    "billing:read",
                ],
                "accounts": [account_names[place % accounts]],
                **bound,
            }
            for place, name in enumerate(names)
        },
    }


class Server(Process):
    """One side of a comparison."""

    def __init__(
        self,
        name: str,
        port: int,
        command: list[str],
        folder: Path,
        ready: str = "/livez",
        **more: Any,
    ) -> None:
        self.name = name
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.metrics_url = ""
        super().__init__(command, f"{self.url}{ready}", folder / f"{name}-{port}.log", **more)


def gateway(folder: Path, upstream: str, *, project: Path = PROJECT, **options: Any) -> Server:
    """The gateway as it is deployed."""
    place = folder / f"gateway-{secrets.token_hex(4)}"
    place.mkdir()
    return serve(place, configuration(place, upstream, **options), project)


def serve(place: Path, settings: Mapping[str, Any], project: Path = PROJECT) -> Server:
    """The gateway with a configuration, which is written to a folder of its own."""
    port, metrics_port = free_port(), free_port()
    path = place / "config.yaml"
    path.write_text(yaml.safe_dump(settings))
    environment = {
        "GATEWAY_CONFIG": str(path),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "METRICS_PORT": str(metrics_port),
    }
    command = [sys.executable, "-m", "gunicorn", "-c", str(project / "gunicorn.conf.py")]
    server = Server("gateway", port, command, place, project=project, environment=environment)
    server.metrics_url = f"http://127.0.0.1:{metrics_port}/metrics"
    return server


def fastapi(folder: Path, upstream: str, client: str) -> Server:
    """The FastAPI gateway with one of the two HTTP clients."""
    port = free_port()
    environment = {
        **PARTNER,
        "HTTP_CLIENT": client,
        "UPSTREAM": upstream,
        "CALLERS": json.dumps({sha256(KEYS[one].encode()).hexdigest(): one for one in CALLERS}),
    }
    command = [
        *(str(BENCH_PYTHON), "-m", "uvicorn", "benchmarks.peers.fastapi_gateway:app"),
        *("--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop", "--http", "httptools"),
        *("--no-access-log", "--log-level", "warning", "--backlog", "4096"),
    ]
    return Server(f"fastapi-{client}", port, command, folder, environment=environment)


def proxy(folder: Path, upstream: str) -> Server:
    """nginx as a plain reverse proxy."""
    port = free_port()
    place = folder / f"nginx-{port}"
    os.mkdir(place)
    values = {"port": port, "upstream": upstream.partition("://")[2]}
    return Server("nginx", port, nginx(place, "peers/nginx.conf", **values), folder)
