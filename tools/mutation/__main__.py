"""`make mutation`: prints each change that no test finds, and how many there are in each module.

MODULES and TESTS choose others than the usual ones, for example
`make mutation MODULES=app/state/memory.py TESTS=tests/state`. TOGETHER is the number of changes
that are tried at the same time, usually two.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tools.mutation.change import Change
from tools.mutation.trials import OPTIONS, Trials, copied

PROJECT = Path(__file__).parents[2]
PYTHON = PROJECT / ".tools/mutation/bin/python"
MODULES = "app/verification app/writes app/huawei app/state"
TESTS = "tests/verification tests/writes tests/huawei tests/state tests/customers"


def asked(name: str, usual: str) -> list[str]:
    return (os.environ.get(name) or usual).split()


def changes() -> Iterator[Change]:
    for name in asked("MODULES", MODULES):
        for path in sorted(Path(name).rglob("*.py")) if Path(name).is_dir() else [Path(name)]:
            done = subprocess.run(  # noqa: S603 - our own program
                [PYTHON, "-m", "tools.mutation.changes", path],
                capture_output=True,
                check=True,
            )
            for after in json.loads(done.stdout):
                yield Change(str(path), path.read_text(encoding="utf-8"), after)


def main() -> int:
    """Change the modules. Returns 1 if a change survived."""
    with TemporaryDirectory(prefix="mutation-") as folder:
        os.chdir(copied(PROJECT, Path(folder) / "copy"))
        sys.path[0] = os.getcwd()
        tried = list(changes())
        trials = Trials(tried, Path(folder), together=int(os.environ.get("TOGETHER", "2")))
        code = pytest.main([*OPTIONS, *asked("TESTS", TESTS)], plugins=[trials])
    if code:
        return int(code)
    survived = Counter(change.module for change in trials.survivors)
    for module, number in Counter(change.module for change in tried).items():
        sys.stdout.write(f"{module}: {survived[module]} of {number} changes survived\n")
    return 1 if trials.survivors else 0


if __name__ == "__main__":
    sys.exit(main())
