"""A pytest plugin that collects the tests once and then, for each change, forks and runs a few.

Nothing is imported again: the functions of the forked process are given the changed code. Only a
change of what a module does while it is imported gets a new interpreter, on a changed copy.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import mkdtemp
from types import FunctionType

import pytest
from coverage import Coverage

from tools.mutation.change import Change

BUDGET = 45.0  # seconds of tests for one change
LIMIT = 200  # seconds after which a change hangs, and so is found
OPTIONS = (
    *("-o", "addopts=--import-mode=importlib", "--hypothesis-profile=quick", "-qsx"),
    *("--timeout=30", "--timeout-method=thread", "-p", "no:cacheprovider"),
    *("-p", "no:randomly", "-p", "no:xdist", "-p", "no:cov"),
)
BROKEN = 70  # the exit code of a trial that failed itself
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".tools", "node_modules", ".*_cache")


def copied(project: Path, copy: Path) -> Path:
    """A copy of the tree, with the packages and programs of the tree."""
    shutil.copytree(project, copy, ignore=LEFT_OUT)
    for linked in (".venv", ".tools"):
        (copy / linked).symlink_to((project / linked).resolve())
    return copy


class Trials:
    """Tries each change. `survivors` are those with which all tests passed."""

    def __init__(self, changes: list[Change], folder: Path, *, together: int) -> None:
        self.survivors: list[Change] = []
        self._changes = changes
        self._folder = folder
        self._together = together
        self._living: dict[int, tuple[Change, Path]] = {}
        self._items: dict[str, pytest.Item] = {}
        self._functions: list[FunctionType] = []
        self._coverage: Coverage | None = None
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._tests: defaultdict[str, dict[int, list[str]]] = defaultdict(dict)  # by module, line
        self._found: Counter[str] = Counter()  # how many changes a test found
        self._failed: list[str] = []

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Tell coverage which test runs now."""
        if self._coverage is not None:
            self._coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember how long a test took, and whether it failed."""
        self._seconds[report.nodeid] += report.duration
        if report.failed:
            self._failed.append(report.nodeid)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests once without a change, and then those of each change."""
        self._items = {item.nodeid: item for item in session.items}
        self._functions = [each for each in gc.get_objects() if type(each) is FunctionType]
        gc.freeze()
        self._measured()
        for module, changes in groupby(self._changes, lambda change: change.module):
            sys.stdout.write(f"{module}\n")
            sys.stdout.flush()
            for change in changes:
                if len(self._living) == self._together:
                    self._finish()
                pid, folder = self._forked(partial(self._try, change))
                self._living[pid] = change, folder
        while self._living:
            self._finish()
        return True

    def _forked(self, work: Callable[[Path], object]) -> tuple[int, Path]:
        """Start the work in a process that has all of this one, and a folder of its own."""
        folder = Path(mkdtemp(dir=self._folder))
        if pid := os.fork():
            return pid, folder
        code = BROKEN
        try:
            os.setsid()
            os.environ |= {"TMPDIR": str(folder), "PYTEST_DEBUG_TEMPROOT": str(folder)}
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.dup2(nowhere, sys.stderr.fileno())
            (folder / "answer").write_text(json.dumps(work(folder)))
            code = 1 if self._failed else 0
        finally:
            os._exit(code)  # never on into what the parent does

    def _measured(self) -> None:
        """Learn how long each test takes, and which lines it runs."""
        shares: list[list[str]] = [[] for _ in range(self._together)]
        files: dict[str, int] = {}
        for name in self._items:
            shares[files.setdefault(name.partition("::")[0], len(files)) % len(shares)].append(name)
        # Coverage warns if no code was run, and the project may turn warnings into errors.
        folders = [self._forked(partial(self._measure, share))[1] for share in shares if share]
        for _ in folders:
            os.wait()
        for folder in folders:
            seconds, tests, failed = json.loads((folder / "answer").read_text())
            for name in failed:
                sys.stdout.write(f"left out, because it fails without a change: {name}\n")
            self._seconds |= {name: took for name, took in seconds.items() if name not in failed}
            for module, lines in tests.items():
                for line, names in lines.items():
                    self._tests[module].setdefault(int(line), []).extend(names)

    def _measure(self, names: list[str], _: Path) -> object:
        modules = sorted({change.module for change in self._changes})
        self._coverage = Coverage(data_file=None, include=modules, config_file=False)
        self._coverage.start()
        self._run(names)
        self._coverage.stop()
        found = self._coverage.get_data()
        tests = {each: found.contexts_by_lineno(str(Path(each).resolve())) for each in modules}
        return self._seconds, tests, self._failed

    def _run(self, names: list[str], *, until_one_fails: bool = False) -> None:
        items = [self._items[name] for name in names]
        for item, following in zip(items, [*items[1:], None], strict=False):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed and until_one_fails:
                return

    def _try(self, change: Change, folder: Path) -> list[str]:
        """Run the tests of a change, until one fails. Returns the one."""
        signal.alarm(LIMIT)
        names = self._chosen(change)
        if change.needs_import and names:
            copy = copied(Path.cwd(), folder / "copy")
            (copy / change.module).write_text(change.after)
            os.chdir(copy)
            os.execv(sys.executable, [sys.executable, "-m", "pytest", *OPTIONS, *names])  # noqa: S606 - our own program
        for name in names:  # a change can make a test wait for ever
            self._items[name].add_marker(pytest.mark.timeout(5 + 5 * self._seconds[name]))
        change.put_in(self._functions)
        self._run(names, until_one_fails=True)
        return self._failed

    def _chosen(self, change: Change) -> list[str]:
        """The tests that run the changed line, the most promising first.

        First those that found other changes, then the quickest of each file, then the second
        of each file, and so on; the files beside the module before others.
        """
        lines = self._tests[change.module]
        if change.needs_import:
            run = {name for names in lines.values() for name in names}
        else:
            run = set(next((lines[each] for each in change.lines if each in lines), ()))
        room = Path("tests", *Path(change.module).parts[1:])
        ranks: Counter[Path] = Counter()
        order = {}
        for name in sorted(run & self._seconds.keys(), key=self._seconds.__getitem__):
            file = Path(name.partition("::")[0])
            near = len(set(file.parents) & set(room.parents))
            order[name] = (-self._found[name], ranks[file], -near)
            ranks[file] += 1
        left, chosen = BUDGET, []
        for name in sorted(order, key=order.__getitem__):
            if self._seconds[name] <= left:
                left -= self._seconds[name]
                chosen.append(name)
        return chosen

    def _finish(self) -> None:
        """Wait for one of the forked processes."""
        pid, status = os.waitpid(-1, 0)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # what it left
        change, folder = self._living.pop(pid)
        if os.waitstatus_to_exitcode(status) == BROKEN:
            raise RuntimeError(f"the trial itself failed:\n{change.diff}")
        if status == 0:
            self.survivors.append(change)
            sys.stdout.write(f"{change.diff}\n")
            sys.stdout.flush()
        elif (answer := folder / "answer").exists():
            self._found.update(json.loads(answer.read_text()))
        shutil.rmtree(folder, ignore_errors=True)
