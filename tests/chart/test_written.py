"""The files of `make chart-files` are up to date, and every value is described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from app.settings import Settings
from tests.chart.helm import CHART, MATRIX, VALUES
from tools.chart import schema, table


def test_the_committed_values_schema_is_the_generated_one() -> None:
    assert schema.WRITTEN.read_text() == schema.text(), "run make chart-files"


def test_the_committed_values_table_is_the_generated_one() -> None:
    assert table.README.read_text() == table.text(), "run make chart-files"


def test_every_value_or_its_section_has_a_comment() -> None:
    values = table.values()
    explained = {value.path for value in values if value.comment}
    for value in values:
        above = value.path.split(".")
        ways = {".".join(above[:length]) for length in range(1, len(above) + 1)}
        assert value.has_keys or ways & explained, value.path


def test_every_value_is_in_the_schema_and_every_property_has_a_value() -> None:
    described = schema.build()["properties"].keys() - {"global"}
    assert described == yaml.safe_load((CHART / "values.yaml").read_text()).keys()


def objects(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of an object with known keys."""
    if isinstance(part, dict):
        if part.get("type") == "object" and ("properties" in part or "patternProperties" in part):
            yield path, part
        for key, value in part.items():
            yield from objects(value, f"{path}/{key}")
    elif isinstance(part, list):
        for place, value in enumerate(part):
            yield from objects(value, f"{path}/{place}")


def test_every_schema_object_with_known_keys_refuses_others() -> None:
    found = list(objects(schema.build()))
    assert len(found) > 30
    assert [path for path, one in found if one.get("additionalProperties") is not False] == []


def test_the_values_schema_uses_the_descriptions_of_the_settings() -> None:
    described = schema.build()["$defs"]["Settings"]["properties"]
    assert described.keys() == Settings.model_fields.keys()


@pytest.mark.parametrize("name", MATRIX)
def test_the_values_schema_is_valid_json_schema(name: str) -> None:
    written = json.loads(schema.WRITTEN.read_text())
    jsonschema.Draft202012Validator.check_schema(written)
    for path in (CHART / "values.yaml", VALUES / f"{name}.yaml"):
        jsonschema.Draft202012Validator(written).validate(yaml.safe_load(path.read_text()))
