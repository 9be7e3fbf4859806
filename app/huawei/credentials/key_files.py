"""Reads the files of a key pair, and detects that they were replaced."""

from pathlib import Path

from app.settings import KeyFiles, PairSettings

Stamp = tuple[tuple[int, int, int], ...]


def _paths(files: PairSettings) -> list[Path]:
    optional = (files.security_token_file, files.expires_at_file)
    return [files.access_key_file, files.secret_key_file, *(path for path in optional if path)]


def stamp(files: PairSettings) -> Stamp:
    """The inode, time and size of each file: they differ after a file or a link is replaced.

    Raises:
        OSError: if a file does not exist.
    """
    stats = [path.stat() for path in _paths(files)]
    return tuple((stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in stats)


def read_key(path: Path) -> str:
    """The text of a key file, without surrounding white space.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if the file holds no printable ASCII text.
    """
    text = path.read_text(encoding="ascii").strip()
    if not text or not text.isprintable():
        raise ValueError("the file holds no printable text")
    return text


def read_keys(files: KeyFiles) -> tuple[str, str]:
    """The access key and the secret key that the files hold now.

    Raises:
        OSError: if a file cannot be read.
        ValueError: if a file holds no printable ASCII text.
    """
    return read_key(files.access_key_file), read_key(files.secret_key_file)
