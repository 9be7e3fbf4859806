"""The tables of the documents agree with the code: error codes, settings, variables, scopes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from app.errors import ErrorCode, Fault, Retry
from app.settings import Scope, Settings
from demo.local import PROJECT
from sandbox import magic as sandbox_magic
from tools.docs import catalogue, magic, markdown, settings, written

DOCUMENTS = {path.name: path for path in sorted(written.DOCS.glob("*.md")) if written.parts(path)}


def rows(document: str) -> list[list[str]]:
    """The cells of every table row of a document whose first cell is code."""
    lines = (written.DOCS / document).read_text().splitlines()
    return [
        [cell.strip().strip("`") for cell in line.strip("| ").split("|")]
        for line in lines
        if line.startswith("| `")
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_generated_parts_of_the_documents_are_up_to_date(name: str) -> None:
    assert DOCUMENTS[name].read_text() == written.text(DOCUMENTS[name]), "run `make docs`"


def test_every_generated_part_is_in_exactly_one_document() -> None:
    shown = [name for path in DOCUMENTS.values() for name in written.parts(path)]
    assert sorted(shown) == sorted(written.PARTS)


def test_writing_a_generated_part_keeps_the_rest_of_the_document(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    before, after = (
        "# One\n\n<!-- faults: written by `make docs` -->\n",
        "<!-- end of faults -->\n\nTwo",
    )
    page.write_text(f"{before}stale\n{after}")
    assert written.text(page) == f"{before}\n{catalogue.faults()}\n\n{after}"


def dotted(model: type[BaseModel], parent: str = "") -> Iterator[str]:
    """The dotted path of every setting that is not a section."""
    for name, field in model.model_fields.items():
        found = list(settings.sections(field.annotation))
        for between, section in found:
            yield from dotted(section, f"{parent}{name}{between}.")
        if not found:
            yield f"{parent}{name}"


def test_every_setting_has_a_documented_row_with_a_meaning() -> None:
    shown = {row[0]: row[1:] for row in rows("configuration.md")}
    assert (
        {
            "accounts.<name>.endpoint",
            "accounts.<name>.credentials[].secret_key_file",
            "accounts.<name>.verification.backend",
            "callers.<name>.keys_sha256",
            "callers.<name>.scopes",
        }
        <= set(dotted(Settings))
        <= set(shown)
    )
    for path, (default, meaning) in shown.items():
        assert default, path
        assert meaning not in ("", "None"), path


def test_the_table_of_error_codes_agrees_with_the_catalogue() -> None:
    shown = {row[0]: row[1:] for row in rows("errors.md") if re.fullmatch("[A-Z][A-Z_]+", row[0])}
    for fault in Fault:
        del shown[fault.value]
    assert set(shown) == set(ErrorCode.__members__)
    for code in ErrorCode:
        status, retry, turn, hears, title = shown[code.name]
        assert (status, turn, title) == (str(code.status), code.fault, code.title)
        assert retry.split(";")[0] == code.retry
        assert hears == catalogue.audience(code)


def test_the_audience_of_an_error_agrees_with_who_must_act() -> None:
    assert not catalogue.CUSTOMERS & catalogue.STAFFS
    for code in ErrorCode:
        hears = catalogue.audience(code)
        if hears in (catalogue.Audience.CUSTOMER, catalogue.Audience.STAFF):
            assert code.fault is Fault.CALLER, code
        if code.fault is not Fault.CALLER:
            passes = code.write_retry is not Retry.CONTACT_OPERATOR
            assert hears == (catalogue.Audience.PROGRAM if passes else catalogue.Audience.OPERATOR)


def test_the_table_of_retry_values_lists_every_error_code_once() -> None:
    shown = {row[0]: row[2].split(", ") for row in rows("calling.md") if row[0] in list(Retry)}
    assert set(shown) == set(Retry)
    listed = [name for names in shown.values() for name in names]
    assert sorted(listed) == sorted(ErrorCode.__members__)


def test_every_scope_is_documented() -> None:
    shown = {row[0] for row in rows("calling.md") if ":" in row[0]}
    assert shown == set(get_args(Scope))


def test_every_magic_prefix_of_the_sandbox_is_documented() -> None:
    source = Path(sandbox_magic.__file__).read_text()
    prefixes = set(re.findall(r'"(review-[a-z]+)"', source))
    assert prefixes == {customer.rpartition("-")[0] for customer in magic.REVIEWS[1:]}


def test_the_documented_example_problem_agrees_with_the_catalogue() -> None:
    shown = yaml.safe_load(markdown.block("docs/errors.md", "json"))
    code = ErrorCode[shown["code"]]
    assert shown["type"] == f"/v1/errors/{code.name}"
    assert (shown["title"], shown["status"]) == (code.title, code.status)
    assert (shown["retry"], shown["fault"]) == (code.write_retry, code.fault)


def test_the_documented_configurations_are_valid() -> None:
    shown = [
        yaml.safe_load(one.text)
        for one in markdown.blocks(PROJECT / "docs/configuration.md")
        if one.about == "yaml"
    ]
    assert len(shown) == 2
    for one in shown:
        Settings.model_validate(one)
    fuller = shown[-1]
    assert set(fuller) == set(Settings.model_fields)
    (state,) = [
        yaml.safe_load(one.text)
        for one in markdown.blocks(PROJECT / "docs/operating.md")
        if one.about == "yaml"
    ]
    assert state["state"] == fuller["state"]


@pytest.mark.parametrize(
    ("variable", "default"),
    [
        ("GATEWAY_CONFIG", "required"),
        ("PORT", "8080"),
        ("METRICS_PORT", "9090"),
        ("HOST", "all addresses"),
        ("LOG_LEVEL", "INFO"),
    ],
)
def test_every_environment_variable_is_documented_with_its_default(
    variable: str, default: str
) -> None:
    text = " ".join((PROJECT / "docs/configuration.md").read_text().split())
    assert f"`{variable}` ({default})" in text
