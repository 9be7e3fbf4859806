"""How `make mutation` tries changes: which of them survive, and which tests count."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from demo.local import PROJECT

MODULE = """
LIMIT = 3


def left(used: int) -> int:
    return LIMIT - used


def is_full(used: int) -> bool:
    return used >= LIMIT


def is_over(used: int) -> bool:
    return used > LIMIT
"""
TESTS = """
from shop.quota import is_full, is_over, left

def test_left():
    assert left(1) == 2

def test_full():
    assert is_full(4)

def test_that_fails():
    assert is_over(3)
"""
CONFTEST = """
from hypothesis import settings

settings.register_profile("quick")
"""
PROGRAM = """
import json, sys
from pathlib import Path

import pytest

from tools.mutation.change import Change
from tools.mutation.trials import OPTIONS, Trials

before = Path("shop/quota.py").read_text()
pairs = json.loads(sys.argv[2])
changes = [Change("shop/quota.py", before, before.replace(*pair)) for pair in pairs]
trials = Trials(changes, Path(sys.argv[1]), together=2)
code = pytest.main([*OPTIONS, "tests"], plugins=[trials])
print(json.dumps([code, [pairs[changes.index(each)] for each in trials.survivors]]))
"""
FOUND = [("LIMIT - used", "LIMIT + used"), ("used >= LIMIT", "used < LIMIT"), ("= 3", "= 4")]
SURVIVE = [
    ("used >= LIMIT", "used > LIMIT"),  # no test asks for the boundary
    ("used > LIMIT", "used < LIMIT"),  # only the test that fails without a change runs it
]


def test_a_change_survives_unless_a_test_that_passes_without_it_fails(tmp_path: Path) -> None:
    for name, text in {
        "shop/quota.py": MODULE,
        "tests/test_quota.py": TESTS,
        "tests/conftest.py": CONFTEST,
        "pytest.ini": "[pytest]\nfilterwarnings = error\n",
    }.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "trials").mkdir()
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, tmp_path / "trials", json.dumps([*FOUND, *SURVIVE])],
        cwd=tmp_path / "project",
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    code, survivors = json.loads(lines[-1])
    assert (code, sorted(survivors)) == (0, sorted(map(list, SURVIVE))), done.stdout
    left_out = [line for line in lines if line.startswith("left out")]
    assert [line.rpartition("::")[2] for line in left_out] == ["test_that_fails"]
