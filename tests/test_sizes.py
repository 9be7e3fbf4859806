"""Files stay short enough to read at once."""

from __future__ import annotations

from pathlib import Path

from demo.local import PROJECT

LINES = 250
FOLDERS = ("app", "sandbox", "tools", "tests")
BUILT = {"__pycache__", "node_modules", "target"}  # folders
WRITTEN_BY_PROGRAMS = ("app/api/pages/documents/", "tests/vectors/")
CATALOGUE = "app/errors.py"  # one entry for each error code


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def written_by_hand(path: Path) -> bool:
    """Whether people write and read a file."""
    generated = name_of(path).startswith(WRITTEN_BY_PROGRAMS) or path.name == "package-lock.json"
    return path.is_file() and not generated and not BUILT.intersection(path.parts)


def test_no_file_but_the_error_catalogue_is_longer_than_250_lines() -> None:
    files = [
        path
        for folder in FOLDERS
        for path in (PROJECT / folder).rglob("*")
        if written_by_hand(path)
    ]
    assert {path.relative_to(PROJECT).parts[0] for path in files} == set(FOLDERS)
    assert {path.suffix for path in files} >= {".css", ".html", ".js", ".py", ".ts", ".yaml"}
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in files}
    assert {name: n for name, n in lengths.items() if n > LINES and name != CATALOGUE} == {}
