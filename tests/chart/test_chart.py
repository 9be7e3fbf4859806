"""The whole chart: both Helm versions accept it and render the same; its files are valid."""

from __future__ import annotations

import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

from demo.local import PROJECT
from tests.chart.helm import CHART, MATRIX, VALUES, Helm
from tests.support.programs import needed

RULES = "{extends: default, rules: {document-start: disable, line-length: {max: 100}}}"


def test_the_chart_is_tested_with_the_listed_sets_of_values() -> None:
    assert {"minimal", "production", "sandbox", "two-accounts", "service-account-callers"} <= set(
        MATRIX
    )


@pytest.mark.parametrize("name", MATRIX)
def test_helm_lint_accepts_the_chart(each_helm: Helm, name: str) -> None:
    done = each_helm.run("lint", "--strict", CHART, "--values", VALUES / f"{name}.yaml")
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", MATRIX)
def test_both_helm_versions_render_the_same_objects(each_helm: Helm, helm: Helm, name: str) -> None:
    assert each_helm.rendered(name) == helm.rendered(name)


def test_the_packaged_chart_contains_every_file_it_needs(each_helm: Helm, tmp_path: Path) -> None:
    done = each_helm.run("package", CHART, "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    (package,) = tmp_path.iterdir()
    with tarfile.open(package) as files:
        packed = {name.removeprefix("partner-gateway/") for name in files.getnames()}
    assert packed == {str(path.relative_to(CHART)) for path in CHART.rglob("*") if path.is_file()}


def test_the_versions_of_the_chart_are_those_of_the_gateway() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert chart["version"] == chart["appVersion"] == project["version"]
    assert chart["name"] == project["name"]


def test_the_values_pass_yamllint() -> None:
    files = [str(CHART / "values.yaml"), str(CHART / "Chart.yaml"), str(VALUES)]
    done = subprocess.run(  # noqa: S603 - our own files
        [needed("yamllint"), "--strict", "-d", RULES, *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("minimal", "partner-key at /run/secrets/default: not found"),
        ("minimal", "There are no callers yet"),
        ("production", "gw-partner-gateway-partner at /run/secrets/partner"),
        ("sandbox", "THIS GATEWAY CALLS THE SANDBOX"),
        ("minimal", "Production needs Redis"),
    ],
)
def test_the_notes_of_the_chart_name_missing_values(helm: Helm, name: str, said: str) -> None:
    done = helm.run("install", "gw", CHART, "--dry-run=client", "--values", VALUES / f"{name}.yaml")
    assert said in done.stdout, done.stderr
