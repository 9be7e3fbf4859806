"""Programs that some tests need and that are no part of the environment."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_OWN = Path(".tools/venv/bin")


def needed(name: str) -> str:
    """The path of a program; without it the test is skipped loudly, and fails under CI=true."""
    found = shutil.which(name, path=str(_OWN)) or shutil.which(name)
    if found:
        return str(Path(found).absolute())
    reason = f"{name} is missing: `make tools` installs it, or says how"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(f"*** SKIPPED: {reason} ***")
