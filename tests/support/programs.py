"""Programs that some tests need and the Python environment does not contain."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_OWN = Path(".tools/venv/bin")


def needed(name: str) -> str:
    """The path of a program. If absent, skips the test with a warning, or fails under CI=true."""
    found = shutil.which(name, path=str(_OWN)) or shutil.which(name)
    if found:
        return str(Path(found).absolute())
    reason = f"{name} is missing: `make tools` installs it, or says how"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(f"*** SKIPPED: {reason} ***")
