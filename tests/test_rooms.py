"""A package's `__init__` holds exports only; logic is in modules with a name."""

from __future__ import annotations

import ast

import pytest

from demo.local import PROJECT

FOLDERS = ("app", "benchmarks", "demo", "sandbox", "tests", "tools")
EXCEPTIONS = {
    "app/__init__.py",  # the composition root: builds the web application
}
PACKAGES = sorted(
    str(path.relative_to(PROJECT))
    for folder in FOLDERS
    for path in (PROJECT / folder).rglob("__init__.py")
)


def is_export(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
    return False


def test_every_package_of_the_project_is_looked_at() -> None:
    assert {name.partition("/")[0] for name in PACKAGES} == set(FOLDERS)
    assert EXCEPTIONS.issubset(PACKAGES)


@pytest.mark.parametrize("name", [name for name in PACKAGES if name not in EXCEPTIONS])
def test_the_init_of_a_package_holds_a_docstring_imports_and_all_and_nothing_else(
    name: str,
) -> None:
    body = ast.parse((PROJECT / name).read_text()).body
    assert [ast.unparse(statement) for statement in body if not is_export(statement)] == []
