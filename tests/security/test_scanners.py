"""`make security` finds secrets and weaknesses, and `make sbom` names every package."""

from __future__ import annotations

import json
import re
import secrets
import string
import subprocess
from pathlib import Path

import pytest

from demo.local import PROJECT
from tests.support.programs import needed

LOCKED = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def run(*command: str | Path, folder: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own programs
        command, cwd=folder, capture_output=True, text=True, check=False
    )


def gitleaks(folder: Path) -> subprocess.CompletedProcess[str]:
    configuration = PROJECT / ".gitleaks.toml"
    command = (needed("gitleaks"), "dir", "--redact", "-c", configuration, ".")
    return run(*command, folder=folder)


@pytest.mark.parametrize("place", ["app/keys.py", "tests/vectors/sign_vectors.json", "values.yaml"])
def test_gitleaks_finds_a_secret_in_any_file(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"nothing": "here"}\n')
    assert gitleaks(tmp_path).returncode == 0
    access_key = "AKIA" + "".join(secrets.choice(string.ascii_uppercase) for _ in range(16))
    path.write_text(f'{{"key": "{access_key}"}}\n')
    found = gitleaks(tmp_path)
    assert found.returncode == 1, found.stderr


def test_gitleaks_exceptions_are_values_and_not_files(tmp_path: Path) -> None:
    vectors = (PROJECT / "tests/vectors/sign_vectors.json").read_text()
    path = tmp_path / "vectors.json"
    path.write_text(vectors)
    assert gitleaks(tmp_path).returncode == 0
    known = json.loads(vectors)["secret_key"]
    path.write_text(vectors.replace(known, known[::-1]))
    assert gitleaks(tmp_path).returncode == 1


@pytest.mark.parametrize("line", ["app.run(debug=True)", "eval(input())", "hashlib.md5(b'')"])
def test_bandit_finds_a_weakness(tmp_path: Path, line: str) -> None:
    (tmp_path / "weak.py").write_text(f"import hashlib\nfrom flask import app\n{line}\n")
    bandit = (needed("bandit"), "-q", "-c", PROJECT / ".bandit.yaml", "-r", tmp_path)
    assert run(*bandit).returncode == 1


def locked() -> dict[tuple[str, str], set[str]]:
    """Name and version of every deployed package, with the hashes of its files."""
    text = (PROJECT / "requirements/run.txt").read_text()
    entries = re.split(r"\n(?=[a-z])", text)
    return {
        (found[1], found[2]): set(HASH.findall(entry))
        for entry in entries
        if (found := LOCKED.match(entry))
    }


def test_the_sbom_names_every_locked_package_with_its_hashes_and_no_other(tmp_path: Path) -> None:
    needed("cyclonedx-py")
    path = tmp_path / "dist/sbom.json"
    done = run("make", "--assume-old=.tools/.ready", "sbom", f"SBOM={path}")
    assert done.returncode == 0, done.stderr
    sbom = json.loads(path.read_text())
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    assert sbom["metadata"]["component"]["name"] == "partner-gateway"
    listed = {
        (component["name"], component["version"]): {
            one["content"]
            for reference in component["externalReferences"]
            for one in reference["hashes"]
        }
        for component in sbom["components"]
    }
    assert listed == locked()
    assert len(listed) > 40
    assert all(hashes for hashes in listed.values())
    for component in sbom["components"]:
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
