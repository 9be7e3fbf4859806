"""A broken configuration file and its error message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from app import settings as configuration
from app.settings import ConfigurationError, Settings

SECRET = "s3cr3t-that-is-never-shown"
BUCKET = {
    "endpoint": "https://kyc.obs.ap-southeast-1.myhuaweicloud.com",
    "bucket": "kyc",
    "region": "ap-southeast-1",
    "access_key_file": "/run/x",
    "secret_key_file": "/run/y",
}


def load(folder: Path, content: Any) -> Settings:
    path = folder / "config.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return configuration.load(path)


def complaints(folder: Path, content: Any) -> list[str]:
    """The lines of the error message after the first."""
    with pytest.raises(ConfigurationError) as failure:
        load(folder, content)
    message = str(failure.value)
    assert message.startswith(str(folder / "config.yaml"))
    assert SECRET not in message
    return [line.strip() for line in message.splitlines()[1:]]


def put(config: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path, or remove it if the value is `...`."""
    *parents, last = path.split(".")
    place: Any = config
    for name in parents:
        place = place[int(name)] if name.isdigit() else place.setdefault(name, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
