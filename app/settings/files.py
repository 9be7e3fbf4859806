"""Checks the files that the configuration names."""

import os
import ssl
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from app.settings.file import ConfigurationError
from app.settings.sections import Settings


def missing_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """The configured files that do not exist or cannot be read, each with the path of its key.

    The audit file is left out: the gateway creates it.
    """
    for key, path in _files(settings, ()):
        # Path.is_file() raises PermissionError for a file in a folder that may not be searched.
        if key != "audit.file" and not (os.path.isfile(path) and os.access(path, os.R_OK)):
            yield key, path


def _files(value: Any, keys: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """The paths of files in a value of the configuration, each with the path of its key."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, tuple):
        value = {str(place): entry for place, entry in enumerate(value)}
    if isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _files(entry, (*keys, name))
    elif isinstance(value, Path):
        yield ".".join(keys), value


def check_authorities(settings: Settings, present: bool = False) -> None:
    """Check that the files of certificate authorities can be used.

    Args:
        settings: The configuration.
        present: Whether to check only the files that exist here.

    Raises:
        ConfigurationError: if one cannot be used. The message names the keys of all of them.
    """
    faults = []
    for key, path in _files(settings, ()):
        if key.endswith(".ca_file") and (not present or os.path.exists(path)):
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
            except ssl.SSLError:
                faults.append(f"{key}: {path}: holds no certificate")
            except OSError as error:
                faults.append(f"{key}: {path}: {error.strerror}")
    if faults:
        raise ConfigurationError("\n".join(faults))


def check_writable(settings: Settings) -> None:
    """Check that the audit file can be written, if one is configured.

    Raises:
        ConfigurationError: if the file cannot be opened.
    """
    if settings.audit.file is None:
        return
    try:
        open_audit_file(settings.audit.file).close()
    except OSError as error:
        raise ConfigurationError(f"audit.file: {error.strerror}") from None


def open_audit_file(path: Path) -> FileIO:
    """The file of the audit trail, opened to append. It does not wait for the reader of a pipe.

    Raises:
        OSError: if it cannot be opened, as a pipe without a reader.
    """
    return open(path, "ab", buffering=0, opener=_without_waiting)


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK, 0o666)
