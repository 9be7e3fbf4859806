"""Generates the tables of docs/configuration.md from the descriptions of the settings."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.settings import Settings

NONE = "\N{EN DASH}"


class Setting(NamedTuple):
    """A key of the configuration."""

    path: str
    field: FieldInfo


def sections(annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    """The sections below a setting, each with the path between the setting and the section."""
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


def listed(model: type[BaseModel] = Settings, parent: str = "") -> Iterator[Setting]:
    """Every setting; a section with a description precedes its keys."""
    for name, field in model.model_fields.items():
        found = list(sections(field.annotation))
        if field.description or not found:
            yield Setting(f"{parent}{name}", field)
        for between, section in found:
            yield from listed(section, f"{parent}{name}{between}.")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default in (None, (), frozenset()):
        return NONE
    return f"`{list(default) if isinstance(default, tuple) else default}`"


def table() -> str:
    """A table for each section of the configuration file."""
    lines = []
    part = None
    for path, field in listed():
        top = path.partition(".")[0]
        if top != part:
            lines += ["", f"### {top}", "", "| key | default | meaning |", "|---|---|---|"]
            part = top
        lines.append(f"| `{path}` | {_default(field)} | {field.description} |")
    return "\n".join(lines).strip()
