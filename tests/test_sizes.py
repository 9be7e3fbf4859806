"""Files stay short enough to read at once."""

from __future__ import annotations

import subprocess

from demo.local import PROJECT

LINES = 250
FOLDERS = ("app", "sandbox", "tools", "tests")
CATALOGUE = "app/errors.py"  # one entry for each error code


def test_no_python_file_but_the_error_catalogue_is_longer_than_250_lines() -> None:
    patterns = [f"{folder}/*.py" for folder in FOLDERS]
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns)
    listed = subprocess.run(  # noqa: S603 - our own files
        command, cwd=PROJECT, capture_output=True, text=True, check=True
    )
    files = [name for name in listed.stdout.split() if (PROJECT / name).is_file()]
    assert {name.partition("/")[0] for name in files} == set(FOLDERS)
    lengths = {name: len((PROJECT / name).read_text().splitlines()) for name in files}
    assert {name: n for name, n in lengths.items() if n > LINES and name != CATALOGUE} == {}
