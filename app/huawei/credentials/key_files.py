"""Reads the files of a key pair, and detects that they were replaced."""

from pathlib import Path

from app.settings import FileVersion, KeyFiles, PairSettings, version_of

Stamp = tuple[FileVersion, ...]


def _paths(files: PairSettings) -> list[Path]:
    optional = (files.security_token_file, files.expires_at_file)
    return [files.access_key_file, files.secret_key_file, *(path for path in optional if path)]


def stamp(files: PairSettings) -> Stamp:
    """The version of each file.

    Raises:
        OSError: if a file does not exist.
    """
    found = [version_of(path) for path in _paths(files)]
    versions = tuple(version for version in found if version is not None)
    if len(versions) < len(found):
        raise FileNotFoundError
    return versions


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
