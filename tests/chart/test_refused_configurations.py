"""No configuration that the gateway refuses reaches a running release.

Helm refuses it, or the Job before an installation or upgrade does.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import Settings
from demo.local import PROJECT
from tests.chart.helm import CHART, Helm, Manifests
from tests.settings.refused import changes
from tests.support.config_file import put
from tests.support.gateway import configuration

# Judged by the Job: name of the configuration -> why Helm cannot judge it.
BY_THE_JOB = {
    "callers.writer.customers shop-(": "only Python knows its regular expressions",
}
# Accepted: name of the configuration -> what the chart sets instead.
SUPPLIED = {
    "accounts.default.endpoint removed": "the chart sets `defaultEndpoint`",
    "callers removed": "the chart sets no callers",
}


REFUSED = changes()
BY_HELM = [name for name in REFUSED if name not in (*BY_THE_JOB, *SUPPLIED)]


def released(helm: Helm, folder: Path, change: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Render a release whose configuration is valid but for the change."""
    config = configuration(folder, "https://bss-intl.myhuaweicloud.com")
    for path, value in change.items():
        put(config, path, value)
    values = folder / "values.yaml"
    values.write_text(yaml.safe_dump({"config": config}))
    return helm.run("template", "gw", CHART, "--values", values)


def checked(rendered: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command of the Job on the rendered configuration."""
    release = Manifests(yaml.safe_load_all(rendered))
    (container,) = release.one("Job", "check")["spec"]["template"]["spec"]["containers"]
    *command, path = container["command"]
    assert path == "/etc/partner-gateway/config.yaml"
    (folder / "config.yaml").write_text(release.one("ConfigMap", "check")["data"]["config.yaml"])
    return subprocess.run(  # noqa: S603 - the chart's own command
        [sys.executable, "-m", *command, folder / "config.yaml"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_valid_configuration_is_accepted(helm: Helm, tmp_path: Path) -> None:
    done = released(helm, tmp_path, {})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", BY_HELM)
def test_helm_refuses_a_configuration_that_the_gateway_refuses(
    helm: Helm, tmp_path: Path, name: str
) -> None:
    done = released(helm, tmp_path, REFUSED[name])
    assert done.returncode != 0
    setting = next(iter(REFUSED[name])).removesuffix(".0").split(".")
    assert any(part in done.stderr for part in setting), done.stderr


@pytest.mark.parametrize("document", ["[]", '"text"', "null"])
def test_helm_refuses_a_configuration_that_is_not_a_mapping(helm: Helm, document: str) -> None:
    done = helm.run("template", "gw", CHART, "--set-json", f"config={document}")
    assert done.returncode != 0
    assert "config" in done.stderr
    assert "reflect" not in done.stderr


@pytest.mark.parametrize("name", BY_THE_JOB)
def test_the_job_refuses_a_configuration_that_only_the_gateway_can_judge(
    helm: Helm, tmp_path: Path, name: str
) -> None:
    rendered = released(helm, tmp_path, REFUSED[name])
    assert rendered.returncode == 0, rendered.stderr
    done = checked(rendered.stdout, tmp_path)
    assert done.returncode == 2, done.stdout
    assert next(iter(REFUSED[name])) in done.stderr


@pytest.mark.parametrize("name", SUPPLIED)
def test_the_chart_supplies_a_missing_setting(helm: Helm, tmp_path: Path, name: str) -> None:
    done = released(helm, tmp_path, REFUSED[name])
    assert done.returncode == 0, done.stderr
    Settings.model_validate(Manifests(yaml.safe_load_all(done.stdout)).config)
