"""Dockerfile and compose.yaml agree with each other and with the project."""

from __future__ import annotations

import os
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from app.settings.callers import Scope
from demo import local
from demo.local import PROJECT
from tests.support.command_line import flask
from tests.support.compose_file import composed, mounted, placed
from tests.support.programs import needed


@pytest.fixture
def document() -> dict[str, Any]:
    return composed()


def test_the_dockerfile_follows_the_rules_of_hadolint() -> None:
    done = subprocess.run(  # noqa: S603 - our own tool
        [needed("hadolint"), "Dockerfile"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_build_context_of_the_image_contains_only_the_listed_files() -> None:
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert let_in == {"app", "sandbox", "gunicorn.conf.py", "requirements/run.txt"}
    assert all((PROJECT / name).exists() for name in let_in)


def test_the_gateway_of_the_compose_file_accepts_its_configuration(
    document: dict[str, Any], tmp_path: Path
) -> None:
    places = placed(tmp_path, document)
    path = places[document["services"]["gateway"]["environment"]["GATEWAY_CONFIG"]]
    text = path.read_text()
    for target, place in places.items():
        text = text.replace(target, str(place))
    path.write_text(text)
    done = flask("config", "check", str(path))
    assert done.returncode == 0, done.stderr
    assert "accounts default; callers demo." in done.stdout
    # Every file of the configuration exists; compose's Redis is on the same machine.
    (note,) = done.stderr.splitlines()
    assert note.startswith("note: state.url: `redis://`")


def test_keys_and_scopes_of_the_compose_file_are_those_of_make_run(
    document: dict[str, Any],
) -> None:
    contents = mounted(document)
    keys = {path.removeprefix("/etc/gateway/"): text for path, text in contents.items()}
    assert keys["partner/access_key"] == local.ACCESS_KEY
    assert keys["partner/secret_key"] == local.SECRET_KEY
    assert keys["bucket/access_key"] == local.BUCKET_ACCESS_KEY
    assert keys["bucket/secret_key"] == local.BUCKET_SECRET_KEY
    caller = yaml.safe_load(keys["config.yaml"])["callers"]["demo"]
    assert caller["keys_sha256"] == [sha256(local.KEY.encode()).hexdigest()]
    assert set(caller["scopes"]) == set(get_args(Scope))
    assert "not-a-secret" in keys["state.key"]


def test_the_sandbox_listens_where_its_published_port_leads(document: dict[str, Any]) -> None:
    sandbox = document["services"]["sandbox"]["command"]
    assert sandbox[-2:] == ["--host", "0.0.0.0"]  # noqa: S104 - in the container


def test_every_service_is_confined_and_reachable_from_this_machine_only(
    document: dict[str, Any],
) -> None:
    services = document["services"]
    assert set(services) == {"gateway", "sandbox", "redis"}
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name


def test_the_compose_file_refers_to_existing_files_and_services(document: dict[str, Any]) -> None:
    services = document["services"]
    assert (PROJECT / services["gateway"]["build"] / "Dockerfile").is_file()
    assert services["sandbox"]["image"] == services["gateway"]["image"]
    assert services["sandbox"]["network_mode"] == "service:gateway"
    assert set(services["gateway"]["depends_on"]) <= set(services)
    used = {entry["source"] for entry in services["gateway"]["configs"]}
    assert used == set(document["configs"])
    assert "redis://redis:6379/0" in document["configs"]["gateway"]["content"]


def test_the_redis_of_the_compose_file_keeps_every_value(document: dict[str, Any]) -> None:
    redis = document["services"]["redis"]
    options = dict(zip(redis["command"][1::2], redis["command"][2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert redis["volumes"] == [f"redis:{redis['working_dir']}"]


@pytest.mark.parametrize(
    ("working", "taken"),
    [
        (("docker", "podman"), "docker"),
        (("podman", "buildah"), "podman"),
        (("buildah",), "buildah"),
    ],
)
def test_make_image_takes_the_first_engine_that_works(
    tmp_path: Path, working: tuple[str, ...], taken: str
) -> None:
    done = make_image(tmp_path, working)
    assert done.returncode == 0, done.stderr
    built = (tmp_path / "built").read_text()
    assert built.startswith(f"{taken} build --tag docker.io/library/partner-gateway:")
    assert "--build-arg CREATED=2" in built


def test_make_image_without_an_engine_says_what_to_do(tmp_path: Path) -> None:
    done = make_image(tmp_path, ())
    assert done.returncode != 0
    assert "no engine works: start Docker, or install podman or buildah" in done.stderr


def make_image(folder: Path, working: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run `make image` where each engine is installed, but `info` succeeds for the given only."""
    for name in ("docker", "podman", "buildah"):
        info = 0 if name in working else 1
        program = folder / name
        program.write_text(
            f'#!/bin/sh\n[ "$1" = info ] && exit {info}\necho {name} "$@" > {folder}/built\n'
        )
        program.chmod(0o755)
    return subprocess.run(  # noqa: S603 - our own Makefile
        [needed("make"), "image"],
        cwd=PROJECT,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
