"""Runs the gateway's commands as programs: `flask --app app …`."""

from __future__ import annotations

import os
import subprocess
import sys

from demo.local import PROJECT

LIMIT = 60  # seconds


def flask(
    *arguments: str, errors: int = subprocess.PIPE, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command with further environment variables, and return its output and exit status.

    `errors` is the file of standard error; by default it is captured.
    """
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "flask", "--app", "app", *arguments],
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        timeout=LIMIT,
        check=False,
    )
