"""`make openapi-diff` finds breaking changes and accepts additions."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from demo.local import PROJECT
from tests.support.programs import needed
from tests.tools.changes import ADDITIONS, BREAKS, OVERLOOKED, Change, Contract
from tools.contract_diff import CONTRACT, breaks, newest, overlooked

RELEASED: Contract = yaml.load(newest().read_text(), yaml.CSafeLoader)


def changed(*changes: Change) -> Contract:
    """The released contract with changes."""
    contract = copy.deepcopy(RELEASED)
    for change in changes:
        change(contract)
    return contract


def written(path: Path, contract: Contract) -> Path:
    path.write_text(json.dumps(contract))  # JSON is valid YAML and faster to read
    return path


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needed("jev-oas-sentinel")
    return written(tmp_path_factory.mktemp("released") / "openapi.json", RELEASED)


@pytest.mark.parametrize(("change", "word"), BREAKS.values(), ids=BREAKS)
def test_the_contract_diff_finds_a_breaking_change(
    released: Path, tmp_path: Path, change: Change, word: str
) -> None:
    found = breaks(released, written(tmp_path / "openapi.json", changed(change)))
    assert [text for text in found if word in text]


@pytest.mark.parametrize(("change", "word"), OVERLOOKED.values(), ids=OVERLOOKED)
def test_the_contract_diff_finds_a_breaking_change_that_the_sentinel_overlooks(
    change: Change, word: str
) -> None:
    assert [text for text in overlooked(RELEASED, changed(change)) if word in text]


def test_the_contract_diff_accepts_additions(released: Path, tmp_path: Path) -> None:
    assert breaks(released, written(tmp_path / "openapi.json", changed(*ADDITIONS.values()))) == []


def gate(contract: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tools.contract_diff", contract],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_program_fails_at_a_breaking_change_and_names_it(tmp_path: Path) -> None:
    needed("jev-oas-sentinel")
    done = gate(written(tmp_path / "openapi.json", changed(BREAKS["an enum is narrowed"][0])))
    assert done.returncode == 1
    assert f"BREAKS {newest().stem}: POST" in done.stderr


def test_the_contract_has_no_breaking_change_since_the_release() -> None:
    needed("jev-oas-sentinel")
    done = gate(CONTRACT)
    assert (done.returncode, done.stderr) == (0, "")
