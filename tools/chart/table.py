"""Generates the table of values in helm/README.md from the comments in helm/values.yaml.

`python -m tools.chart.table` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from demo.local import PROJECT

CHART = PROJECT / "helm"
README = CHART / "README.md"
START, END = "<!-- values: written by `make chart-files` -->\n", "<!-- end of values -->\n"


class Value(NamedTuple):
    """A key of values.yaml."""

    path: str
    default: Any
    comment: str
    has_keys: bool


def _comment_above(lines: list[str], line: int) -> str:
    found: list[str] = []
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        found.insert(0, lines[line].strip(" #\n"))
    return " ".join(found)


def _values(node: yaml.MappingNode, loaded: Any, lines: list[str], parent: str) -> Iterator[Value]:
    for key, value in node.value:
        path, default = parent + key.value, loaded[key.value]
        has_keys = isinstance(value, yaml.MappingNode) and bool(value.value)
        yield Value(path, default, _comment_above(lines, key.start_mark.line), has_keys)
        if has_keys:
            yield from _values(value, default, lines, f"{path}.")


def values() -> list[Value]:
    """Every key, in the order of the file."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    document = yaml.compose(text)
    if not isinstance(document, yaml.MappingNode):
        raise TypeError("values.yaml must hold a mapping")
    return list(_values(document, yaml.safe_load(text), text.splitlines(), ""))


def table() -> str:
    """A row for each key that has a comment."""
    commented = [value for value in values() if value.comment]
    rows = ["| value | default | meaning |", "|---|---|---|"]
    for value in commented:
        described_below = any(one.path.startswith(f"{value.path}.") for one in commented)
        default = "" if described_below else f"`{json.dumps(value.default)}`"
        rows.append(f"| `{value.path}` | {default} | {value.comment} |")
    return "\n".join(rows) + "\n"


def text() -> str:
    """The README with the generated table."""
    before, _, rest = README.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(text(), encoding="utf-8")
