"""The contents of the image."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from demo.local import PROJECT
from tests.image.containers import BASE, execute, inside, podman
from tests.support.programs import needed

pytestmark = pytest.mark.usefixtures("image")


@pytest.fixture(scope="module")
def described(image: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(podman("image", "inspect", image))[0]
    return document


def packages(text: str) -> set[str]:
    """Each `name==version` at the start of a line, with the name in its normal form."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\\n]+)", text, re.MULTILINE)
    return {f"{re.sub('[._-]+', '-', name).lower()}=={version}" for name, version in found}


def test_the_image_runs_gunicorn_as_an_unprivileged_numeric_user(described: dict[str, Any]) -> None:
    configured = described["Config"]
    assert configured["Cmd"] == ["gunicorn", "--config", "gunicorn.conf.py"]
    assert "Entrypoint" not in configured
    assert configured["User"] == "10001:10001"
    assert set(configured["ExposedPorts"]) == {"8080/tcp", "9090/tcp"}
    assert inside("id", "-u").strip() == "10001"
    status = inside("cat", "/proc/self/status")
    assert re.search(r"^CapEff:\s0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s1$", status, re.MULTILINE)


def test_the_labels_of_the_image_tell_what_it_is_and_where_it_is_from(
    described: dict[str, Any],
) -> None:
    version = re.search(r'^version = "(.*)"', (PROJECT / "pyproject.toml").read_text(), re.M)
    labels = {
        name.removeprefix("org.opencontainers.image."): text
        for name, text in described["Labels"].items()
        if name.startswith("org.opencontainers.image.")
    }
    assert version
    assert labels["version"] == version[1]
    assert labels["base.name"] == BASE
    assert re.fullmatch("[0-9a-f]{40}|unknown", labels["revision"])
    assert datetime.fromisoformat(labels["created"]) <= datetime.now(UTC)
    assert (labels["source"], labels["licenses"]) == ("unknown", "NOASSERTION")
    assert labels["title"] == "Partner Gateway"
    assert labels["description"]


def test_the_image_contains_exactly_the_locked_packages() -> None:
    listing = (
        "from importlib.metadata import distributions as d;"
        "print(*(f'{one.name}=={one.version}' for one in d()), sep='\\n')"
    )
    installed = packages(inside("python", "-c", listing))
    assert {one.partition("==")[0] for one in installed} >= {"flask", "gunicorn", "redis"}
    assert installed <= packages((PROJECT / "requirements" / "run.txt").read_text())


@pytest.mark.parametrize("tool", ["pip", "pip3", "gcc", "cc", "make", "git", "curl"])
def test_the_image_contains_no_build_or_install_tool(tool: str) -> None:
    assert not inside("sh", "-c", f"command -v {tool} || true")


def test_the_image_contains_no_pip_module() -> None:
    found = "import importlib.util as u; print(u.find_spec('pip'), u.find_spec('setuptools'))"
    for python in ("python", "/usr/local/bin/python"):
        assert inside(python, "-c", found).split() == ["None", "None"]


def test_the_image_contains_only_app_sandbox_and_gunicorn_configuration() -> None:
    files = inside("find", "/opt/gateway", "-type", "f", "-not", "-name", "*.pyc").split()
    expected = {
        os.path.join("/opt/gateway", path.relative_to(PROJECT))
        for path in (*(PROJECT / "app").rglob("*"), *(PROJECT / "sandbox").rglob("*.py"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert set(files) == expected | {"/opt/gateway/gunicorn.conf.py"}


def test_the_user_of_the_image_owns_and_may_write_no_file() -> None:
    mine = ("-user", "10001", "-o", "-group", "10001", "-o", "-perm", "-o=w")
    assert not inside("find", "/opt", "-not", "-type", "l", "(", *mine, ")")


def test_every_module_of_the_image_is_compiled() -> None:
    count = "find /opt/gateway/app /opt/gateway/sandbox -name '*.py{}' | wc -l"
    sources, compiled = (int(inside("sh", "-c", count.format(end))) for end in ("", "c"))
    assert sources == compiled > 0


def test_trivy_finds_no_secret_in_the_image_but_an_example(image: str, tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    podman("save", "--quiet", "--output", str(archive), image)
    options = ("--skip-db-update", "--quiet", "--format=json", "--cache-dir", str(tmp_path))
    scanners = ("--scanners=secret", "--image-config-scanners=secret")
    command = (needed("trivy"), "image", *options, *scanners, "--input", str(archive))
    results = json.loads(execute(*command).stdout)["Results"]
    found = {
        (re.sub("-[0-9][^/]*", "", one["Target"].rpartition("site-packages/")[2]), fault["RuleID"])
        for one in results
        for fault in one.get("Secrets", ())
    }
    assert found == {("pyjwt/METADATA", "jwt-token")}, "only the example in PyJWT's description"


def test_history_and_environment_of_the_image_hold_no_secret(
    image: str, described: dict[str, Any]
) -> None:
    history = podman("history", "--no-trunc", "--format={{.CreatedBy}}", image)
    assert "pip --python" not in history  # the first build stage is not in the image
    assert not re.search(r"://|password|token|secret|_KEY|PIP_", history)
    names = {one.partition("=")[0] for one in described["Config"]["Env"]}
    ours = {"PATH", "LANG", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
    official = {"GPG_KEY", "PYTHON_VERSION", "PYTHON_SHA256"}
    assert ours <= names <= ours | official
