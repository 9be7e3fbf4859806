"""Settings of a bucket: its address must be possible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.settings.refused import OBS, UNADDRESSABLE
from tests.support.config_file import BUCKET, complaints, load, put


@pytest.mark.parametrize(("changes", "named"), UNADDRESSABLE)
def test_a_bucket_that_cannot_be_addressed_is_refused_with_the_setting_to_change(
    tmp_path: Path, config: dict[str, Any], changes: dict[str, Any], named: str
) -> None:
    put(config, "accounts.default.attachments", BUCKET | {"endpoint": OBS} | changes)
    (line,) = complaints(tmp_path, config)
    assert line.startswith(f"accounts.default.attachments.{named}: ")


def test_an_ip_endpoint_or_a_dotted_bucket_is_refused_with_addressing_path_as_the_remedy(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    for changes in ({"endpoint": "https://192.0.2.1"}, {"bucket": "kyc.company"}):
        put(config, "accounts.default.attachments", BUCKET | {"endpoint": OBS} | changes)
        (line,) = complaints(tmp_path, config)
        assert ".addressing: must be `path`" in line


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"addressing": "virtual-host"},
        {"bucket": "a1-b"},
        {"bucket": "k" * 63},
        {"endpoint": "http://localhost:8090"},
        {"endpoint": "http://localhost:8090", "bucket": "kyc.company"},
        {"endpoint": "https://192.0.2.1", "addressing": "path"},
        {"bucket": "kyc.company", "addressing": "path"},
    ],
)
def test_a_bucket_that_can_be_addressed_is_accepted(
    tmp_path: Path, config: dict[str, Any], changes: dict[str, Any]
) -> None:
    put(config, "accounts.default.attachments", BUCKET | {"endpoint": OBS} | changes)
    attachments = load(tmp_path, config).accounts["default"].attachments
    assert attachments is not None
    assert attachments.addressing == changes.get("addressing", "virtual-host")
