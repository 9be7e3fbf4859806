"""Runs the gateway's commands as programs: `flask --app app …`."""

from __future__ import annotations

import os
import subprocess
import sys

from demo.local import PROJECT

LIMIT = 60  # seconds


def flask(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with further environment variables, and return its output and exit status."""
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "flask", "--app", "app", *arguments],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
