"""Tells whether a mounted file was replaced."""

import os
from pathlib import Path

# The inode, the time of the last change in nanoseconds, and the size in bytes.
FileVersion = tuple[int, int, int]


def version_of(path: Path | str) -> FileVersion | None:
    """The version of a file, another one after the file or a link to it was replaced.

    None if there is no such file.
    """
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
