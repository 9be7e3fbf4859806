"""The whole chart: both Helm versions accept it and render the same; its files are valid."""

from __future__ import annotations

import subprocess
import tarfile
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
import yaml

from demo.local import PROJECT
from tests.chart.helm import CHART, MATRIX, VALUES, Helm
from tests.support.programs import needed

Notes = Callable[[str], str]
EMPTIED = ("egress.kubernetes.to", "egress.dns.ports", "ingress.callers")
RULES = "{extends: default, rules: {document-start: disable, line-length: {max: 100}}}"


@pytest.fixture(scope="module")
def notes(helm: Helm) -> Notes:
    """A function that tells what Helm prints after the installation."""

    @cache
    def printed(name: str) -> str:
        emptied = EMPTIED if name == "service-account-callers" else ()
        changes = [part for one in emptied for part in ("--set-json", f"networkPolicy.{one}=[]")]
        values = VALUES / f"{name}.yaml"
        done = helm.run("install", "gw", CHART, "--dry-run=client", "--values", values, *changes)
        assert done.returncode == 0, done.stderr
        return done.stdout.partition("\nNOTES:\n")[2]

    return printed


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


def test_the_chart_describes_itself_with_an_icon_that_needs_no_internet() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert {"home", "sources", "maintainers", "icon", "keywords", "annotations"} <= chart.keys()
    kind, _, picture = chart["icon"].partition(",")
    assert kind == "data:image/svg+xml"
    assert ElementTree.fromstring(unquote(picture)).tag.endswith("svg")  # noqa: S314 - our own


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
        ("minimal", "no pod serves for about 18 s"),
        ("minimal", "kubectl --namespace default logs gw-partner-gateway-credentials"),
        ("service-account-callers", "networkPolicy.egress.kubernetes has an empty list"),
        ("service-account-callers", "networkPolicy.egress.dns has an empty list"),
        ("service-account-callers", "The network policy admits no callers"),
    ],
)
def test_the_notes_of_the_chart_name_missing_values(notes: Notes, name: str, said: str) -> None:
    assert said in notes(name)


def test_the_notes_of_the_chart_do_not_complain_about_what_is_right(notes: Notes) -> None:
    said = notes("production")
    assert "empty" not in said
    assert "18 s" not in said
    assert "helm --namespace default test gw" in said
    assert "each account's credential" not in notes("sandbox")
    assert "empty" not in notes("sandbox")
