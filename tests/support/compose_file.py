"""The content of compose.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from demo.local import PROJECT


def composed() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text())
    return document


def mounted(document: dict[str, Any]) -> dict[str, str]:
    """The mounted files of the gateway: path -> content."""
    contents = document["configs"]
    return {
        entry["target"]: contents[entry["source"]]["content"]
        for entry in document["services"]["gateway"]["configs"]
    }


def placed(folder: Path, document: dict[str, Any]) -> dict[str, Path]:
    """Write the mounted files to a folder. Returns the path in the container -> the path there."""
    places = {}
    for number, (target, content) in enumerate(mounted(document).items()):
        places[target] = folder / f"{number}-{Path(target).name}"
        places[target].write_text(content)
    return places
