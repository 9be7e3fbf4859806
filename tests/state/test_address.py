"""The connection to Redis: a mounted password and a configured certificate authority."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings, StateSettings
from app.state.address import address
from tests.support.config_file import complaints
from tests.support.gateway import configuration
from tests.support.valkey import KEY_FILE, PASSWORD, Valkey


def mounted(valkey: Valkey, file: Path) -> StateSettings:
    url = valkey.url.replace(f":{PASSWORD}", "")
    return StateSettings(url=url, key_file=KEY_FILE, password_file=file)


def test_the_password_of_the_state_is_read_for_each_connection(
    valkey: Valkey, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    state = valkey.state(mounted(valkey, file))
    state.put("one", b"1", 60)
    assert not state.shared  # the password file does not exist yet
    for content, read in ((b"\xff", False), (f"{PASSWORD}\n".encode(), True)):
        file.write_bytes(content)
        state = valkey.state(mounted(valkey, file))
        state.put("one", b"1", 60)
        assert state.shared is read
    assert valkey.state().get("one") == b"1"


def test_the_repr_of_a_connection_to_the_state_holds_no_password(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    settings = StateSettings(
        url="rediss://gateway@redis:6380/2",
        key_file=KEY_FILE,
        password_file=file,
        ca_file=Path("/run/ca.crt"),
    )
    url, options = address(settings)
    assert url == "rediss://redis:6380/2"
    assert options["ssl_ca_certs"] == "/run/ca.crt"
    assert PASSWORD not in repr((url, options, settings))


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        (
            {"url": "redis://:secret@127.0.0.1", "password_file": "/run/password"},
            "state.password_file: must not be set if `url` holds a password",
        ),
        (
            {"url": "redis://localhost", "ca_file": "/run/ca.crt"},
            "state.ca_file: requires a `rediss://` url",
        ),
        *[
            (
                {"url": f"redis://{host}:6379/0"},
                "state.url: must be `rediss://`; plain `redis://` to another machine requires "
                "`insecure: true`",
            )
            for host in ("redis", "192.0.2.1", "127.0.0.1@redis", "localhost.example.com")
        ],
        *[
            (
                {"url": f"rediss://redis:6380/0{options}"},
                "state.url: must have no options behind `?`; the database is its path",
            )
            for options in (
                "?ssl_cert_reqs=none",
                "?ssl_check_hostname=false",
                "?db=1&ssl_cert_reqs=none",
                "#fragment",
            )
        ],
    ],
)
def test_an_invalid_url_of_the_state_is_refused_with_the_reason(
    tmp_path: Path, state: dict[str, str], complaint: str
) -> None:
    document = configuration(tmp_path, "https://bss-intl.myhuaweicloud.com")
    Settings.model_validate(document)
    document["state"] = {"key_file": str(KEY_FILE), **state}
    assert complaints(tmp_path, document) == [complaint]


@pytest.mark.parametrize(
    "state",
    [
        {"url": "redis://redis:6379/0", "insecure": True},
        {"url": "redis://127.0.0.1:6379/0"},
        {"url": "redis://localhost:6379/0"},
        {"url": "rediss://redis:6380/0"},
    ],
)
def test_plain_redis_is_accepted_on_this_machine_or_if_it_is_allowed(state: dict[str, Any]) -> None:
    StateSettings.model_validate({"key_file": str(KEY_FILE), **state})
