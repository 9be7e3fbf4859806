"""The rendered objects are valid for Kubernetes and its operators, and pass checkov and trivy."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

from demo.local import PROJECT
from tests.chart.custom_resources import SPECS
from tests.chart.helm import MATRIX, Helm
from tests.support.programs import needed

KIND = re.compile(r"^Container '[^']+' of (\w+) '")  # in trivy's messages
EXCEPTIONS = Path(__file__).parent / "exceptions.yaml"


OLDEST, NEWEST = "1.25", "1.37"
RELEASES = [OLDEST, *(f"1.{minor}" for minor in range(29, 37)), NEWEST]


@pytest.mark.parametrize("name", MATRIX)
def test_every_rendered_object_is_valid_for_kubernetes(helm: Helm, name: str) -> None:
    for release in RELEASES if name == "production" else (OLDEST, NEWEST):
        old = f"{release}.0" if release == OLDEST else ""
        for one in helm.rendered(name, kubernetes=old):
            if (one["apiVersion"], one["kind"]) not in SPECS:
                kubernetes_validate.validate(one, release, strict=True)


def test_the_validation_notices_a_misspelt_key(helm: Helm) -> None:
    deployment = json.loads(json.dumps(helm.rendered("minimal").one("Deployment")))
    deployment["spec"]["template"]["spec"]["containers"][0]["port"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, "1.37", strict=True)


def test_every_custom_resource_is_valid_for_its_operator(helm: Helm) -> None:
    seen = set()
    for one in helm.rendered("production"):
        kind = (one["apiVersion"], one["kind"])
        if kind in SPECS:
            seen.add(kind)
            jsonschema.validate(one["spec"], SPECS[kind])
    assert seen == set(SPECS)


@pytest.mark.long
@pytest.mark.timeout(300)  # ten seconds on an idle machine
def test_checkov_finds_only_justified_exceptions(helm: Helm, tmp_path: Path) -> None:
    manifest = tmp_path / "production.yaml"
    manifest.write_text(yaml.safe_dump_all(helm.rendered("production")))
    options = ("--framework=kubernetes", "--output=json", "--quiet", "--compact", "--skip-download")
    done = subprocess.run(  # noqa: S603 - our own manifest
        [needed("checkov"), *options, "--file", manifest],
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["summary"]["passed"] > 100, report["summary"]
    found = {
        (one["check_id"], one["resource"].partition(".")[0])
        for one in report["results"]["failed_checks"]
    }
    assert found == justified("CKV")


@pytest.mark.long
def test_trivy_finds_only_justified_exceptions(helm: Helm, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "production.yaml").write_text(yaml.safe_dump_all(helm.rendered("production")))
    shutil.copy(PROJECT / "Dockerfile", files)
    options = ("--skip-check-update", "--quiet", "--format=json", "--cache-dir", tmp_path / "cache")
    done = subprocess.run(  # noqa: S603 - our own files
        [needed("trivy"), "config", *options, files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)["Results"]
    assert {one["Target"] for one in results} == {"production.yaml", "Dockerfile"}
    assert sum(one["MisconfSummary"]["Successes"] for one in results) > 100
    found = {
        (fault["ID"], kind[1] if (kind := KIND.search(fault["Message"])) else one["Target"])
        for one in results
        for fault in one["Misconfigurations"]
    }
    assert found == justified("KSV", "DS")


def justified(*prefixes: str) -> set[tuple[str, str]]:
    """The justified findings of a program, each with the kind of its object."""
    return {
        (one["check"], kind)
        for one in yaml.safe_load(EXCEPTIONS.read_text())
        for kind in one["kinds"]
        if one["because"] and one["check"].startswith(prefixes)
    }
