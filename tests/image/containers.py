"""The image, built by `make image`, and containers of it, run by podman."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import requests

from demo.local import KEY, PROJECT
from tests.support.server import Server
from tests.support.timing import wait_until

BASE = "docker.io/library/python:3.11-slim-bookworm"
IMAGE = "localhost/partner-gateway:test"
STORE = PROJECT / ".tools" / "image"
GRACE = 40  # seconds, as in a pod
LIMIT = 60.0
# The restrictions of a careful operator. The two kernel limits are set because podman's defaults
# can exceed those of the machine.
CONFINED = (
    *("--read-only", "--read-only-tmpfs=false", "--cap-drop=all"),
    *("--security-opt=no-new-privileges", "--memory=256m", "--pids-limit=64"),
    *("--network=host", "--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096"),
)


def _environment() -> dict[str, str]:
    """An environment that stores images under .tools, separate from the machine's own."""
    STORE.mkdir(parents=True, exist_ok=True)
    configuration = STORE / "storage.conf"
    configuration.write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{STORE}/store"\nrunroot = "{STORE}/run"\n'
    )
    return {
        **os.environ,
        "CONTAINERS_STORAGE_CONF": str(configuration),
        "BUILDAH_ISOLATION": "chroot",  # without more rights than the test
    }


def execute(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program on that storage."""
    done = subprocess.run(  # noqa: S603 - container tools, and make
        command, cwd=PROJECT, env=_environment(), capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def podman(*arguments: str) -> str:
    return execute("podman", *arguments).stdout


def ensure_base() -> str:
    """Provide the base image: the official image, or an image of Debian's packages.

    Returns:
        "official", or the comment of the image of Debian's packages.
    """
    if execute("buildah", "pull", "--policy=missing", BASE, check=False).returncode:
        execute("sh", "tests/image/base_image.sh", str(STORE / "base.tar"), BASE)
    return podman("image", "inspect", "--format={{.Comment}}", BASE).strip() or "official"


def build() -> None:
    """Build by `make image`, with this machine's certificates and pip.conf."""
    of_the_machine = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pip.conf"))
    mounts = [f"--volume={path}:{path}:ro" for path in of_the_machine if path.is_file()]
    options = " ".join(("--layers", "--network=host", "--pull=never", *mounts))
    execute("make", "image", "ENGINE=buildah", f"IMAGE={IMAGE}", f"IMAGE_OPTIONS={options}")


def inside(*command: str) -> str:
    """The output of a command in a temporary container."""
    return podman("run", "--rm", *CONFINED, IMAGE, *command)


def call(method: str, url: str, **options: Any) -> requests.Response:
    """Send a request as the demo's caller on a new connection."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update({"Authorization": f"Bearer {KEY}", "Connection": "close"})
        return session.request(method, url, timeout=LIMIT, **options)


class Container(Server):
    """A serving container; leaving the context removes it.

    Args:
        url: The URL of its server.
        ready: The path that answers once the server is ready.
        command: A command instead of the image's own.
        options: Further options of podman.
    """

    def __init__(
        self, url: str, ready: str, command: tuple[str, ...] = (), options: tuple[str, ...] = ()
    ) -> None:
        self.url = url
        self._ready = f"{url}{ready}"
        self._arguments = (*CONFINED, *options, IMAGE, *command)
        self.id = ""
        self.seconds_to_first_answer = 0.0

    def start(self) -> None:
        begin = time.monotonic()
        self.id = podman("run", "--detach", *self._arguments).strip()
        try:
            wait_until(self._answers, LIMIT)
        except (AssertionError, TimeoutError) as error:
            error.add_note(f"{self._ready} does not answer:\n{self.log}")
            raise
        self.seconds_to_first_answer = time.monotonic() - begin

    def _answers(self) -> bool:
        try:
            return call("GET", self._ready).ok
        except requests.ConnectionError:
            assert self.state["Running"]
            return False

    def stop(self) -> None:
        """Remove the container."""
        if self.id:
            podman("rm", "--force", "--time=1", self.id)

    def end(self) -> None:
        """Send SIGTERM, and SIGKILL after GRACE."""
        podman("stop", f"--time={GRACE}", self.id)

    @property
    def state(self) -> dict[str, Any]:
        """The state of the container in podman: Running, ExitCode, OOMKilled, ..."""
        state: dict[str, Any] = json.loads(podman("inspect", self.id))[0]["State"]
        return state

    @property
    def log(self) -> str:
        done = execute("podman", "logs", self.id, check=False)
        return done.stdout + done.stderr

    @property
    def memory(self) -> str:
        """The memory of its control group, as `podman stats` prints it."""
        return podman("stats", "--no-stream", "--format={{.MemUsage}}", self.id).split(" / ")[0]
