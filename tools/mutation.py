"""`make mutation`: changes one place of the code at a time and tells which changes no test finds.

Each module of MODULES is changed in a copy of the tree by cosmic-ray, and tested by the tests
beside it. MODULES names other modules, for example MODULES="app/state/memory.py". Prints each
survivor as a diff. A survivor is a missing test, or a change that makes no difference.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

PROJECT = Path(__file__).parent.parent
PROGRAM = PROJECT / ".tools/mutation/bin/cosmic-ray"
TOGETHER = 2  # modules at a time
LIMIT = 180  # seconds for the tests of one change
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".tools", "node_modules", ".*_cache")

# The quickest tests come first: the first failure ends a run.
MODULES = {
    "app/huawei/pacing/breaker.py": "tests/huawei/pacing",
    "app/huawei/pacing/pause.py": "tests/huawei/pacing/test_pause.py tests/huawei/credentials",
    "app/huawei/pacing/quota.py": "tests/huawei/pacing/test_quota.py tests/huawei/pacing",
    "app/huawei/pacing/retry.py": "tests/huawei/pacing/test_retries.py",
    "app/huawei/credentials/key_pair.py": "tests/huawei/credentials",
    "app/state/client.py": "tests/state",
    "app/state/lock.py": "tests/state/test_lock.py",
    "app/state/memory.py": "tests/state/test_values.py tests/state",
    "app/state/memory_table.py": "tests/state/test_tables.py",
    "app/state/sealing.py": "tests/state/test_sealing.py",
    "app/state/shared.py": "tests/state/test_values.py tests/state",
    "app/state/shared_table.py": "tests/state/test_tables.py tests/state",
    "app/verification/choice.py": "tests/verification/test_choice.py tests/verification",
    "app/verification/lost_answers.py": "tests/verification/test_table_of_proofs.py",
    "app/verification/settling.py": "tests/writes/test_unknown_outcomes.py "
    "tests/writes/test_lost_records.py tests/verification/test_lost_answers.py",
    "app/writes/looks.py": "tests/writes/test_unknown_outcomes.py",
    "app/writes/records.py": "tests/writes/test_idempotency.py tests/writes/test_lost_records.py",
    "app/writes/writes.py": "tests/writes/test_idempotency.py "
    "tests/writes/test_lost_records.py tests/writes/test_unknown_outcomes.py",
}


def changed(module: str) -> tuple[int, list[str]]:
    """The number of changes to a module, and the diffs of those that no test found."""
    with TemporaryDirectory(prefix="mutation-") as name:
        folder = Path(name)
        copy = folder / "copy"
        shutil.copytree(PROJECT, copy, ignore=LEFT_OUT)
        for linked in (".venv", ".tools"):
            (copy / linked).symlink_to((PROJECT / linked).resolve())
        config, session = folder / "config.toml", folder / "session.sqlite"
        config.write_text(
            f"""[cosmic-ray]
module-path = "{module}"
timeout = {LIMIT}
excluded-modules = []
test-command = "{sys.executable} -m pytest -q -x -p no:cacheprovider {MODULES[module]}"
[cosmic-ray.distributor]
name = "local"
"""
        )
        for command in ("init", "exec"):
            _run(copy, command, config, session)
        results = list(_results(_run(copy, "dump", session)))
    return len(results), [diff for outcome, diff in results if outcome == "survived"]


def _run(copy: Path, *arguments: str | Path) -> str:
    done = subprocess.run(  # noqa: S603 - our own program
        [PROGRAM, *arguments], cwd=copy, capture_output=True, text=True, check=True
    )
    return done.stdout


def _results(dump: str) -> Iterator[tuple[str, str]]:
    """The outcome and the diff of each change."""
    for line in dump.splitlines():
        _, result = json.loads(line)
        if result is not None:
            yield result["test_outcome"], result["diff"]


def main() -> int:
    """Change the modules. Returns 1 if a change survived."""
    asked = os.environ.get("MODULES", "").split() or [*MODULES]
    total = 0
    with ThreadPoolExecutor(TOGETHER) as threads:
        for module, (number, survivors) in zip(asked, threads.map(changed, asked), strict=True):
            sys.stdout.write(f"{module}: {len(survivors)} of {number} changes survived\n")
            sys.stdout.writelines(f"{diff}\n" for diff in survivors)
            sys.stdout.flush()
            total += len(survivors)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
