"""Runs commands of the documents in a shell, as a reader does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from demo.local import KEY, PROJECT, Local

LIMIT = 100  # seconds
# The first folder has the packages that generated clients import.
PROGRAMS = (PROJECT / ".tools/venv/bin", PROJECT / ".venv/bin")


def variables(environment: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """The variables that differ from the tests' own; one that is None is removed."""
    path = os.pathsep.join([*map(str, PROGRAMS), os.environ["PATH"]])
    certificates = {name: None for name in os.environ if name[:8] == "SSL_CERT"}
    return {**certificates, "PATH": path, **(environment or {})}


def run(
    commands: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    status: int = 0,
) -> str:
    """Run the commands. Returns their output; asserts the exit status."""
    known = {**os.environ, **variables(environment)}
    done = subprocess.run(  # noqa: S603 - what the documents show
        ["/bin/bash", "-eu", "-o", "pipefail", "-c", commands],
        cwd=folder,
        env={name: value for name, value in known.items() if value is not None},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT,
        text=True,
        check=False,
    )
    assert done.returncode == status, f"{commands}\n{done.stdout}"
    return done.stdout


def at(served: Local, text: str) -> str:
    """The commands with the addresses of `make run` replaced by these."""
    return text.replace("http://127.0.0.1:8080", served.url).replace(
        "http://127.0.0.1:8090", served.sandbox_url
    )


def caller(served: Local) -> dict[str, str]:
    """The environment variables that the documents tell callers to set."""
    return {"GATEWAY": served.url, "KEY": KEY}
