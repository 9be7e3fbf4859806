"""Files stay short enough to read at once."""

from __future__ import annotations

import subprocess

from demo.local import PROJECT

LINES = 250
FOLDERS = ("app", "sandbox", "tools", "tests")
CATALOGUE = "app/errors.py"  # one entry for each error code
WRITTEN_BY_PROGRAMS = ("app/api/pages/documents/", "tests/vectors/")


def written_by_hand(name: str) -> bool:
    """Whether people write and read a file."""
    return not name.startswith(WRITTEN_BY_PROGRAMS) and not name.endswith("package-lock.json")


def test_no_file_but_the_error_catalogue_is_longer_than_250_lines() -> None:
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard", *FOLDERS)
    listed = subprocess.run(  # noqa: S603 - our own files
        command, cwd=PROJECT, capture_output=True, text=True, check=True
    )
    names = {name for name in listed.stdout.split() if (PROJECT / name).is_file()}
    files = [name for name in names if written_by_hand(name)]
    assert {name.partition("/")[0] for name in files} == set(FOLDERS)
    assert {name.rpartition(".")[2] for name in files} >= {"css", "js", "html", "py", "yaml"}
    lengths = {name: len((PROJECT / name).read_text().splitlines()) for name in files}
    assert {name: n for name, n in lengths.items() if n > LINES and name != CATALOGUE} == {}
