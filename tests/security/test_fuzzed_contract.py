"""schemathesis tests the served contract; `make fuzz` lets it test for longer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.local import KEY
from tests.security.conftest import gateway
from tests.support.sandbox_driver import SandboxDriver

CONFIGURATION = Path(__file__).parent / "schemathesis.toml"
FUZZ_MINUTES = os.environ.get("FUZZ_MINUTES")
# A build uses fixed cases; `make fuzz` uses random ones.
EFFORT = (
    ("--max-time", str(int(FUZZ_MINUTES) * 60))
    if FUZZ_MINUTES
    else ("--max-examples", "10", "--seed", "1")
)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_schemathesis_finds_no_violation_of_the_contract(
    sandbox_behind: SandboxDriver, tmp_path: Path
) -> None:
    sandbox_behind.settings(review_seconds=0)  # otherwise a read waits for the review
    with gateway(tmp_path, sandbox_behind.url) as served:
        done = subprocess.run(  # noqa: S603 - our own programs
            [
                *(Path(sys.executable).with_name("schemathesis"), "--config-file", CONFIGURATION),
                *("run", f"{served.url}/openapi.json", "--checks", "all", *EFFORT),
                *("--header", f"Authorization: Bearer {KEY}", "--continue-on-failure"),
            ],
            cwd=tmp_path,  # schemathesis stores its findings here
            stdout=None if FUZZ_MINUTES else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert FUZZ_MINUTES or "Test cases:" in done.stdout
        assert served.end() == 0
    assert not [line for line in served.lines if "exceptions" in line]
    assert not [line for line in served.lines if line.get("code") == "INTERNAL_ERROR"]
