"""The settings of webhooks: only hosts of the list, https, and the rights of the caller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app import settings as configuration
from tests.settings.refused_webhooks import HOOK, HOOKED, REFUSED_WEBHOOKS
from tests.support.config_file import complaints, load, put


def changed(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for path, value in changes.items():
        put(config, path, value)
    return config


@pytest.mark.parametrize(("changes", "named"), REFUSED_WEBHOOKS)
def test_a_refused_webhook_names_the_setting_to_change(
    tmp_path: Path, config: dict[str, Any], changes: dict[str, Any], named: str
) -> None:
    (line,) = complaints(tmp_path, changed(config, changes))
    assert line.startswith(f"{named}: ")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"url": "https://SHOP.internal:8443/hooks?of=gateway"},
        {"url": "http://shop.internal", "insecure": True},
        {"ca_file": "/run/ca.crt"},
    ],
)
def test_a_webhook_to_a_host_of_the_list_is_accepted(
    tmp_path: Path, config: dict[str, Any], changes: dict[str, Any]
) -> None:
    accepted = changed(config, {**HOOKED, "callers.writer.webhook": HOOK | changes})
    settings = load(tmp_path, accepted)
    webhook = settings.callers["writer"].webhook
    assert webhook is not None
    assert webhook.host == "shop.internal"
    assert (settings.webhooks.in_flight, settings.webhooks.timeout) == (4, 10.0)


def test_plain_http_to_a_loopback_address_needs_no_permission(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    hook = HOOK | {"url": "http://127.0.0.1:9000/hooks"}
    hosts = {"webhooks": {"hosts": ["127.0.0.1"]}}
    settings = load(tmp_path, changed(config, HOOKED | {"callers.writer.webhook": hook} | hosts))
    assert settings.webhooks.hosts == ("127.0.0.1",)


def test_without_the_section_nothing_is_sent(tmp_path: Path, config: dict[str, Any]) -> None:
    settings = load(tmp_path, config)
    assert settings.webhooks.hosts == ()
    assert all(caller.webhook is None for caller in settings.callers.values())


def test_webhooks_that_would_lose_events_or_have_no_effect_are_noted(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    put(config, "webhooks", {"hosts": ["shop.internal"]})
    idle = {note.key: note.text for note in configuration.notes(load(tmp_path, config))}
    assert "no caller has a `webhook`" in idle["webhooks"]
    used = configuration.notes(load(tmp_path, changed(config, HOOKED)))
    noted = {note.key: note.text for note in used}
    assert "`memory://`" in noted["webhooks"]
    assert "/run/hook does not exist" in noted["callers.writer.webhook.secret_file"]
