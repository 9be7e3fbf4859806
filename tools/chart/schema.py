"""Derives helm/values.schema.json from the gateway's settings and the chart's own part.

`python -m tools.chart.schema` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from app.settings import Settings
from demo.local import PROJECT

OWN = Path(__file__).parent / "values.schema.yaml"
DEFINITIONS = Path(__file__).parent / "definitions.yaml"
RULES = Path(__file__).parent / "rules.yaml"
WRITTEN = PROJECT / "helm" / "values.schema.json"


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, with optional keys that may be missing but not null, and with closed maps."""
    kinds = schema.get("anyOf", [])
    if {"type": "null"} in kinds:
        (kind,) = (one for one in kinds if one != {"type": "null"})
        schema = {**kind, **{key: value for key, value in schema.items() if key != "anyOf"}}
    plain = {key: value for key, value in schema.items() if key not in ("default", "title")}
    for key in ("properties", "patternProperties", "$defs"):
        if key in plain:
            plain[key] = {name: _plain(value) for name, value in plain[key].items()}
    if "items" in plain:
        plain["items"] = _plain(plain["items"])
    if "patternProperties" in plain:
        plain["additionalProperties"] = False
    if plain.get("format") == "path":
        plain["pattern"] = r"^/[^\n]*$"
    return plain


def build() -> dict[str, Any]:
    """The schema of the values."""
    schema: dict[str, Any] = yaml.safe_load(OWN.read_text(encoding="utf-8"))
    schema["$defs"] = yaml.safe_load(DEFINITIONS.read_text(encoding="utf-8"))
    settings = _plain(Settings.model_json_schema())
    # The chart sets an endpoint, the account of the sandbox, and no callers.
    settings["$defs"]["AccountSettings"]["required"].remove("endpoint")
    del settings["properties"]["accounts"]["minProperties"], settings["required"]
    # The name of an account is also the name of its Secret.
    (account,) = settings["properties"]["accounts"]["patternProperties"].values()
    names = schema["properties"]["secrets"]["patternProperties"]
    settings["properties"]["accounts"]["patternProperties"] = dict.fromkeys(names, account)
    schema["$defs"] |= settings.pop("$defs")
    schema["$defs"]["Settings"] = settings
    for name, rules in yaml.safe_load(RULES.read_text(encoding="utf-8")).items():
        schema["$defs"][name]["allOf"] = rules
    return schema


def text() -> str:
    """The content of the file."""
    return json.dumps(build(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    WRITTEN.write_text(text(), encoding="utf-8")
