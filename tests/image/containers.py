"""The image, built by `make image`, and containers of it, run by podman."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from demo.local import KEY, PROJECT

BASE = "docker.io/library/python:3.11-slim-bookworm"
IMAGE = "localhost/partner-gateway:test"
STORE = PROJECT / ".tools" / "image"
GRACE = 40  # seconds, as a pod has them
LIMIT = 60.0
# What a careful operator allows. The two limits of the kernel's are named because podman's own are
# above those that a machine may have.
CONFINED = (
    *("--read-only", "--read-only-tmpfs=false", "--cap-drop=all"),
    *("--security-opt=no-new-privileges", "--memory=256m", "--pids-limit=64"),
    *("--network=host", "--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096"),
)


def _environment() -> dict[str, str]:
    """Keep images where repeated runs find them, and apart from the machine's own."""
    STORE.mkdir(parents=True, exist_ok=True)
    configuration = STORE / "storage.conf"
    configuration.write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{STORE}/store"\nrunroot = "{STORE}/run"\n'
    )
    return {
        **os.environ,
        "CONTAINERS_STORAGE_CONF": str(configuration),
        "BUILDAH_ISOLATION": "chroot",  # no more rights than the test has
    }


def execute(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program that uses that storage."""
    done = subprocess.run(  # noqa: S603 - container tools, and make
        command, cwd=PROJECT, env=_environment(), capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def podman(*arguments: str) -> str:
    return execute("podman", *arguments).stdout


def ensure_base() -> str:
    """See that the base image is there: the official one, or else one of Debian's packages.

    Returns:
        Which of the two it is.
    """
    if execute("buildah", "pull", "--policy=missing", BASE, check=False).returncode:
        execute("sh", "tests/image/base_image.sh", str(STORE / "base.tar"), BASE)
    return podman("image", "inspect", "--format={{.Comment}}", BASE).strip() or "official"


def build() -> None:
    """Build by the target that everybody uses, with this machine's certificates and pip.conf."""
    of_the_machine = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pip.conf"))
    mounts = [f"--volume={path}:{path}:ro" for path in of_the_machine if path.is_file()]
    options = " ".join(("--layers", "--network=host", "--pull=never", *mounts))
    execute("make", "image", "ENGINE=buildah", f"IMAGE={IMAGE}", f"IMAGE_OPTIONS={options}")


def inside(*command: str) -> str:
    """What a command says in a container that is gone afterwards."""
    return podman("run", "--rm", *CONFINED, IMAGE, *command)


def call(method: str, url: str, **options: Any) -> requests.Response:
    """A request of the demo's caller, on a connection of its own."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update({"Authorization": f"Bearer {KEY}", "Connection": "close"})
        return session.request(method, url, timeout=LIMIT, **options)


class Container:
    """A container that serves until the block ends.

    Args:
        url: Where it serves.
        ready: The path that answers once it does.
        command: What it runs in place of the image's own command.
        options: Further options of podman's.
    """

    def __init__(
        self, url: str, ready: str, command: tuple[str, ...] = (), options: tuple[str, ...] = ()
    ) -> None:
        self.url = url
        self._ready = f"{url}{ready}"
        self._arguments = (*CONFINED, *options, IMAGE, *command)
        self.id = ""
        self.seconds_to_first_answer = 0.0

    def __enter__(self) -> Self:
        begin = time.monotonic()
        self.id = podman("run", "--detach", *self._arguments).strip()
        while not self._answers():
            if time.monotonic() > begin + LIMIT or not self.state["Running"]:
                text = self.log
                self.remove()
                raise AssertionError(f"{self._ready} does not answer:\n{text}")
            time.sleep(0.02)
        self.seconds_to_first_answer = time.monotonic() - begin
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()

    def _answers(self) -> bool:
        try:
            return call("GET", self._ready).ok
        except requests.ConnectionError:
            return False

    def remove(self) -> None:
        podman("rm", "--force", "--time=1", self.id)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if the grace was not enough."""
        podman("stop", f"--time={GRACE}", self.id)

    @property
    def state(self) -> dict[str, Any]:
        """What podman knows of it: Running, ExitCode, OOMKilled, ..."""
        state: dict[str, Any] = json.loads(podman("inspect", self.id))[0]["State"]
        return state

    @property
    def log(self) -> str:
        done = execute("podman", "logs", self.id, check=False)
        return done.stdout + done.stderr

    @property
    def memory(self) -> str:
        """What its control group uses, as `podman stats` tells it."""
        return podman("stats", "--no-stream", "--format={{.MemUsage}}", self.id).split(" / ")[0]
