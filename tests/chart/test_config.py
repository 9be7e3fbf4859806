"""The gateway accepts the configuration that the chart renders."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest

from app import create_app, settings
from app.settings import Settings
from app.settings.callers import Scope
from sandbox import access_keys
from sandbox import settings as sandbox_settings
from tests.chart.helm import MATRIX, Helm
from tests.docs.test_written import dotted
from tests.support.command_line import flask


def written(helm: Helm, folder: Path, name: str, *changes: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(helm.rendered(name, *changes).one("ConfigMap")["data"]["config.yaml"])
    return path


@pytest.mark.parametrize("name", MATRIX)
def test_the_gateway_accepts_the_rendered_configuration(
    helm: Helm, tmp_path: Path, name: str
) -> None:
    assert settings.load(written(helm, tmp_path, name)).accounts


def test_the_check_command_accepts_the_rendered_configuration(helm: Helm, tmp_path: Path) -> None:
    done = flask("config", "check", str(written(helm, tmp_path, "production")))
    assert done.returncode == 0, done.stderr
    assert "can be used: accounts default; callers crm, shop." in done.stdout


def paths(value: Any, parent: str = "", of_maps: bool = False) -> set[str]:
    """The dotted path of every value, in the notation of the README."""
    if isinstance(value, dict):
        return {
            path
            for key, one in value.items()
            for path in paths(
                one,
                f"{parent}.<name>" if of_maps else f"{parent}.{key}",
                not of_maps and key in ("accounts", "callers") and parent == "",
            )
        }
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {path for one in value for path in paths(one, f"{parent}[]")}
    return {parent.removeprefix(".")}


def test_every_setting_of_the_gateway_can_be_set_as_a_chart_value(helm: Helm) -> None:
    given = {path for name in MATRIX for path in paths(helm.rendered(name).config)}
    given = {re.sub(r"(\.bills\.columns)\..*", r"\1", path) for path in given}  # names of columns
    assert given == set(dotted(Settings)), "a file of tests/chart/values has to give each setting"


def test_the_configuration_rendered_from_the_minimal_values_is_exact(helm: Helm) -> None:
    assert helm.rendered("minimal").config == {
        "accounts": {
            "default": {
                "endpoint": "https://bss-intl.myhuaweicloud.com",
                "partner_id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
                "platform_id": "PARTNER01",
                "credentials": [
                    {
                        "access_key_file": "/run/secrets/default/access_key",
                        "secret_key_file": "/run/secrets/default/secret_key",
                    }
                ],
            }
        },
        "callers": {},
        "state": {"replicas": 1},
    }


@pytest.mark.parametrize(
    ("name", "changes", "replicas"),
    [
        ("minimal", ("replicaCount=3", "acknowledgeUnsharedState=true"), 3),
        ("production", (), 4),
        ("production", ("autoscaling.enabled=false", "replicaCount=2"), 2),
        ("production", ("config.state.replicas=7",), 7),
    ],
)
def test_the_rendered_configuration_has_the_number_of_pods(
    helm: Helm, name: str, changes: tuple[str, ...], replicas: int
) -> None:
    assert helm.rendered(name, *changes).config["state"]["replicas"] == replicas


@pytest.mark.parametrize("name", MATRIX)
def test_every_secret_file_of_the_configuration_is_in_a_mounted_directory(
    helm: Helm, name: str
) -> None:
    rendered = helm.rendered(name)
    folders = {mount["mountPath"] for mount in rendered.gateway["volumeMounts"]}
    config = settings.Settings.model_validate(rendered.config)
    files = [path for _, path in settings.missing_files(config)]
    assert files, "no file of the cluster's is on this machine"
    assert {str(path.parent) for path in files} <= folders


def test_the_chart_configures_the_account_of_the_sandbox_as_it_is(helm: Helm) -> None:
    rendered = helm.rendered("sandbox")
    account = rendered.config["accounts"]["default"]
    assert account["partner_id"] == sandbox_settings.PARTNER_ID
    assert account["platform_id"] == sandbox_settings.PLATFORM_ID
    assert account["attachments"]["bucket"] == sandbox_settings.BUCKET
    assert account["attachments"]["region"] == sandbox_settings.REGION
    files = rendered.one("ConfigMap", "sandbox")["data"]
    assert access_keys.START_KEYS[files["access_key"]] == files["secret_key"]
    assert (files["bucket_access_key"], files["bucket_secret_key"]) == (
        access_keys.OBS_ACCESS_KEY,
        access_keys.OBS_SECRET_KEY,
    )


def test_a_customer_is_verified_with_the_configuration_of_the_sandbox_release(
    helm: Helm, tmp_path: Path, sandbox_url: str
) -> None:
    """Use the files of the release with the addresses and folders of this machine."""
    rendered = helm.rendered("sandbox")
    for name, content in rendered.one("ConfigMap", "sandbox")["data"].items():
        (tmp_path / name).write_text(content)
    path = written(helm, tmp_path, "sandbox")
    text = path.read_text().replace(":8090", f":{urlsplit(sandbox_url).port}")
    path.write_text(text.replace("/run/secrets/sandbox", str(tmp_path)))
    loaded = settings.load(path)
    assert loaded.callers["demo"].scopes == set(get_args(Scope))
    client = create_app(loaded).test_client()
    answer = client.post(
        "/v1/customers/cust-0001/verifications/individual",
        headers={"Authorization": "Bearer demo-key"},
        json={
            "full_name": "ZHANG SAN",
            "document": {"type": "PASSPORT", "number": "E1234567"},
            "partner_user_id": "shop-981",
        },
    )
    assert (answer.status_code, answer.json and answer.json["status"]) == (201, "VERIFIED")
    stored = client.put(
        "/v1/customers/cust-0001/attachments/page.jpg",
        headers={"Authorization": "Bearer demo-key"},
        data=b"\xff\xd8\xff\xe0 a picture",
    )
    assert stored.status_code == 201


def test_the_sandbox_runs_beside_the_gateway_on_loopback(helm: Helm) -> None:
    rendered = helm.rendered("sandbox")
    _, sandbox = rendered.pod["containers"]
    assert sandbox["command"] == ["python", "-m", "sandbox", "--port", "8090"]
    assert "ports" not in sandbox
    assert sandbox["image"] == rendered.gateway["image"]
