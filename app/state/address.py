"""The connection to Redis: URL, password and certificate authorities from the configuration."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import redis

from app.settings import StateSettings

TIMEOUT = 1.0  # seconds for a connection and for an answer


class MountedPassword(redis.CredentialProvider):
    """Reads the password from its file for each new connection, so that it can be rotated.

    Args:
        user: The user; None for Redis's default user.
        file: Where the password is mounted.
    """

    def __init__(self, user: str | None, file: Path) -> None:
        self._user = user
        self._file = file

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """The user, if any, and the password.

        Raises:
            redis.ConnectionError: if the file cannot be read.
        """
        try:
            password = self._file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise redis.ConnectionError("the password cannot be read") from None
        return (self._user, password) if self._user else (password,)


def address(settings: StateSettings) -> tuple[str, dict[str, Any]]:
    """The URL of Redis, and the options for redis-py's connections."""
    options: dict[str, Any] = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
    if settings.ca_file:
        options["ssl_ca_certs"] = str(settings.ca_file)
    if settings.password_file is None:
        return settings.url, options
    parts = urlsplit(settings.url)
    user = unquote(parts.username) if parts.username else None
    options["credential_provider"] = MountedPassword(user, settings.password_file)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host).geturl(), options
