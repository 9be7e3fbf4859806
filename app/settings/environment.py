"""Reads the environment variables: where the configuration is, addresses, and the log level."""

import os
from pathlib import Path

from app.settings.file import ConfigurationError, load
from app.settings.files import check_authorities
from app.settings.sections import Settings


def load_from_environment() -> Settings:
    """The configuration in the file that `GATEWAY_CONFIG` names, checked.

    Raises:
        ConfigurationError: if the variable is not set, the file is not valid, or a file of
            certificate authorities cannot be used.
    """
    path = os.environ.get("GATEWAY_CONFIG")
    if not path:
        raise ConfigurationError("GATEWAY_CONFIG is not set; it names the configuration file")
    settings = load(Path(path))
    check_authorities(settings)
    return settings


def log_level() -> str:
    """The log level: `LOG_LEVEL`, or INFO if the variable is not set.

    Raises:
        ConfigurationError: if the variable holds another text than a level.
    """
    level = os.environ.get("LOG_LEVEL", "INFO").upper()
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ConfigurationError("LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR")
    return level


def addresses() -> list[str]:
    """The addresses to listen on, for callers and for operations.

    `HOST`, or all addresses if the variable is not set, with `PORT` (8080) and `METRICS_PORT`
    (9090).

    Raises:
        ConfigurationError: if a variable does not hold a port number, both hold the same, or `HOST`
            holds white space.
    """
    name = host()
    ports = port("PORT", 8080), port("METRICS_PORT", 9090)
    if ports[0] == ports[1] != 0:
        raise ConfigurationError("METRICS_PORT must differ from PORT")
    return [address(name, one) for one in ports]


def host() -> str:
    """The address to listen on: `HOST`, or all addresses if the variable is not set.

    Raises:
        ConfigurationError: if the variable is empty or holds white space.
    """
    text = os.environ.get("HOST", "0.0.0.0")  # noqa: S104 - a container has no other interface
    if text.split() != [text]:
        raise ConfigurationError("HOST must be an address or a name without white space")
    return text


def address(host: str, port: int) -> str:
    """Host and port as one text, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def port(variable: str, default: int) -> int:
    """The port number in an environment variable.

    Args:
        variable: The name of the variable.
        default: The port if the variable is not set.

    Raises:
        ConfigurationError: if the variable does not hold a port number.
    """
    text = os.environ.get(variable, str(default))
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise ConfigurationError(f"{variable} must be a port number")
    return int(text)
