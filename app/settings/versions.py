"""Tells whether a mounted file was replaced."""

import os
from pathlib import Path

# The inode, the time of the last change in nanoseconds, and the size in bytes.
FileVersion = tuple[int, int, int]


def version_of(path: Path | str) -> FileVersion | None:
    """The version of a file; None if it does not exist.

    The version changes when the file, or a link that leads to it, is replaced.
    """
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
