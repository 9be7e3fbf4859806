"""The README's tables say what the code says: every error code, every setting, every variable."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from app.errors import ErrorCode
from app.settings import Settings
from demo.local import PROJECT


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    """The cells of every row of every table whose first cell is code."""
    lines = (PROJECT / "README.md").read_text().splitlines()
    return [
        [cell.strip().strip("`") for cell in line.strip("| ").split("|")]
        for line in lines
        if line.startswith("| `")
    ]


def sections(annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    """The sections that a setting holds, each with what stands between it and the setting."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "", annotation
    elif origin is Annotated:
        yield from sections(arguments[0])
    elif origin in (Union, types.UnionType):
        for one in arguments:
            yield from sections(one)
    elif origin is tuple:
        yield from ((f"[]{path}", one) for path, one in sections(arguments[0]))
    elif origin is Mapping:
        yield from ((f".<name>{path}", one) for path, one in sections(arguments[1]))


def dotted(model: type[BaseModel], parent: str = "") -> Iterator[str]:
    """The dotted path of every setting that is no section."""
    for name, field in model.model_fields.items():
        found = list(sections(field.annotation))
        for between, section in found:
            yield from dotted(section, f"{parent}{name}{between}.")
        if not found:
            yield f"{parent}{name}"


def test_the_helper_finds_what_is_known_to_be_there() -> None:
    found = set(dotted(Settings))
    assert {
        "accounts.<name>.endpoint",
        "accounts.<name>.credentials[].secret_key_file",
        "accounts.<name>.verification.backend",
        "accounts.<name>.attachments.bucket",
        "accounts.<name>.proxy",
        "callers.<name>.keys_sha256",
        "callers.<name>.scopes",
    } <= found


def test_every_setting_has_a_row_and_every_row_a_setting(rows: list[list[str]]) -> None:
    tops = tuple(f"{name}." for name in Settings.model_fields)
    shown = {row[0].removesuffix("[]") for row in rows if row[0].startswith(tops)}
    assert shown == set(dotted(Settings))


def test_every_error_code_has_a_true_row(rows: list[list[str]]) -> None:
    shown = {row[0]: row[1:4] for row in rows if re.fullmatch("[A-Z][A-Z_]+", row[0])}
    assert set(shown) == set(ErrorCode.__members__)
    for code in ErrorCode:
        status, retry, fault = (cell.replace("`", "") for cell in shown[code.name])
        assert status == str(code.status), code.name
        assert fault == code.fault, code.name
        # Where the advice differs for writes, both may be told.
        assert code.retry in retry, code.name


@pytest.mark.parametrize(
    ("variable", "default"),
    [
        ("GATEWAY_CONFIG", "needed"),
        ("PORT", "8080"),
        ("METRICS_PORT", "9090"),
        ("HOST", "all addresses"),
        ("LOG_LEVEL", "INFO"),
    ],
)
def test_every_variable_is_told_with_its_default(variable: str, default: str) -> None:
    text = " ".join((PROJECT / "README.md").read_text().split())
    assert f"`{variable}` ({default})" in text
