"""The example of docs/adding-an-operation.md: its diffs apply, and its tests pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from demo.local import PROJECT
from tools.docs import markdown

LIMIT = 90  # seconds
NEEDED = (
    *("app", "demo", "docs", "sandbox", "tools", "openapi/openapi.yaml"),
    *("tests/__init__.py", "tests/conftest.py", "tests/support"),
    *(
        "tests/api/__init__.py",
        "tests/api/resources/__init__.py",
        "tests/vectors",
        "tests/api/test_contract.py",
        "tests/api/resources/test_declared_reads.py",
    ),
    *("pyproject.toml", "tests/verification"),
)


def run(folder: Path, *command: str, text: str | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - our own programs
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the parts of the project that a new operation changes."""
    for name in NEEDED:
        source, target = PROJECT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.png"))
        else:
            shutil.copy(source, target)
    return tmp_path


@pytest.mark.long
def test_the_example_operation_of_the_documentation_can_be_added(tree: Path) -> None:
    shown = markdown.blocks(PROJECT / "docs/adding-an-operation.md")
    diff = "".join(one.text for one in shown if one.about == "diff")
    run(tree, "git", "apply", "-", text=diff)
    flask = (sys.executable, "-m", "flask", "--app", "app.api.contract:documented")
    run(tree, *flask, "openapi", "write", "--format", "yaml", "openapi/openapi.yaml")
    assert "listServices" in (tree / "openapi/openapi.yaml").read_text()
    pytest_ = (sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider")
    run(tree, *pytest_, "tests/api/resources/test_declared_reads.py", "tests/api/test_contract.py")


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("app/api/resources/", 15),
        ("sandbox/", 4),
        ("tests/", 7),
    ],
)
def test_the_example_operation_costs_few_lines(path: str, most: int) -> None:
    """Count the lines of code that the example adds, without its imports."""
    added: dict[str, int] = {}
    for block in markdown.blocks(PROJECT / "docs/adding-an-operation.md"):
        if block.about == "diff":
            name = block.text.split("+++ b/")[1].split("\n")[0]
            lines = block.text.split("+++ b/")[1].splitlines()[1:]
            code = [line for line in lines if line.startswith("+") and line[1:].strip()]
            imports = [line for line in code if line.startswith(("+from ", "+import "))]
            if name.endswith(".py"):
                added[name] = len(code) - len(imports)
    assert 0 < sum(count for name, count in added.items() if name.startswith(path)) <= most
