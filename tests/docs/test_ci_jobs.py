"""The CI jobs of docs/testing.md: their commands run the tests of another project."""

from __future__ import annotations

import re
import shutil
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

from demo.local import PROJECT
from tests.support import shell
from tests.support.programs import needed
from tools.docs import markdown

# What brings the checkout and the packages; the tests have both.
DOWNLOADS = ("git clone", "python -m venv", "python3 -m venv", "gateway-venv/bin/pip install")
SUITE = """#!/bin/sh
test "$1" = test
curl --silent --fail "$GATEWAY/readyz" && pwd
exit 3
"""


def jobs() -> dict[str, list[str]]:
    """The scripts of each documented job; each has a shell of its own."""
    blocks = markdown.blocks(PROJECT / "docs/testing.md")
    github, gitlab = (yaml.safe_load(one.text) for one in blocks if one.about == "yaml")
    steps: list[dict[str, Any]] = github["jobs"]["test"]["steps"]
    return {
        "github": [step["run"] for step in steps if "run" in step],
        "gitlab": ["\n".join(gitlab["test"]["script"])],
    }


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_a_documented_job_ends_with_the_status_of_the_tests(name: str, tmp_path: Path) -> None:
    needed("curl")
    checkout = tmp_path / "partner-gateway"
    for folder in ("app", "demo", "sandbox"):
        shutil.copytree(PROJECT / folder, checkout / folder)
    shutil.copy(PROJECT / "gunicorn.conf.py", checkout)
    (tmp_path / "gateway-venv").symlink_to(PROJECT / ".venv")
    npm = tmp_path / "bin/npm"
    npm.parent.mkdir()
    npm.write_text(SUITE)
    npm.chmod(0o755)

    *before, last = (
        "\n".join(line for line in script.splitlines() if not line.startswith(DOWNLOADS))
        for script in jobs()[name]
    )
    assert not any(before)
    said = shell.run(f'PATH="{npm.parent}:$PATH"\n{last}', tmp_path, status=3)
    assert said == f'{{"status":"ok"}}\n{tmp_path}\n'
    assert "gunicorn" in (tmp_path / "gateway.log").read_text()


def test_the_locked_requirements_of_the_gateway_suffice_for_the_sandbox_too() -> None:
    graph = grimp.build_graph(
        *("app", "demo", "sandbox"),
        include_external_packages=True,
        exclude_type_checking_imports=True,
    )
    own = {"app", "demo", "sandbox"}
    used = {
        name.partition(".")[0]
        for start in ("demo.serve", "demo.resettable", "sandbox.__main__")
        for name in graph.find_upstream_modules(start)
    }
    providers = packages_distributions()
    locked = re.findall(r"^([a-z0-9-]+)==", (PROJECT / "requirements/run.txt").read_text(), re.M)
    assert {
        name: providers[name]
        for name in used - own - sys.stdlib_module_names
        if not {one.lower().replace("_", "-") for one in providers[name]} & set(locked)
    } == {}
