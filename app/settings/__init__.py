"""Reads and checks the configuration file and the environment. No other package reads them.

The YAML file that `GATEWAY_CONFIG` names is checked as a whole. One message names the path of
every wrong or missing key, and never a value.
"""

import os
import re
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from app.settings.accounts import (
    AccountSettings,
    AttachmentSettings,
    IamSettings,
    KeyFiles,
    PairSettings,
    VerificationSettings,
)
from app.settings.callers import CallerSettings, IssuerSettings, OidcSettings, Scope
from app.settings.sections import AuditSettings, Settings, StateSettings, TracingSettings

__all__ = [
    "AccountSettings",
    "AttachmentSettings",
    "AuditSettings",
    "CallerSettings",
    "ConfigurationError",
    "IamSettings",
    "IssuerSettings",
    "KeyFiles",
    "OidcSettings",
    "PairSettings",
    "Scope",
    "Settings",
    "StateSettings",
    "TracingSettings",
    "VerificationSettings",
    "load",
    "load_from_environment",
]


class ConfigurationError(Exception):
    """The configuration is not valid. The message names every invalid key."""


class _StrictLoader(yaml.SafeLoader):
    """A SafeLoader that refuses duplicate keys. PyYAML would keep the last value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(set(map(str, keys))) != len(keys):
            raise yaml.constructor.ConstructorError(None, None, "duplicate key", node.start_mark)
        return super().construct_mapping(node, deep)


# Our texts for two of pydantic's errors. Its other texts name the rule and never the value.
_NAMES_A_KEY = re.compile(r"[a-z_]+: ")
_RULES = {"missing": "is missing", "extra_forbidden": "is not a known key"}


def _faults(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for fault in error.errors(include_input=False, include_url=False, include_context=False):
        path = ".".join(str(step) for step in fault["loc"])
        rule = _RULES.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        for line in rule.splitlines():
            # The text of a rule over several keys begins with the invalid key.
            joint = "." if _NAMES_A_KEY.match(line) else ": "
            lines.append(f"{path}{joint}{line}" if path else line)
    return lines


def load(path: Path) -> Settings:
    """The configuration in the file at `path`, checked.

    Raises:
        ConfigurationError: if the file cannot be read or is not valid.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not UTF-8") from None
    except yaml.YAMLError as error:
        # The library's text quotes the line, which may hold a secret: name only its number.
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ConfigurationError(f"{path}: is not valid YAML{where}") from None
    except (ValueError, RecursionError):  # an impossible date, or recursive aliases
        raise ConfigurationError(f"{path}: is not valid YAML") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path}: must hold a mapping with `accounts` and `callers`")
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        lines = "".join(f"\n  {line}" for line in _faults(error))
        raise ConfigurationError(f"{path} cannot be used:{lines}") from None


def missing_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """The configured files that do not exist, each with the path of its key.

    The file of the audit trail is left out: the gateway creates it.
    """
    yield from _missing(settings, ())


def _missing(value: Any, keys: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, tuple):
        value = {str(place): entry for place, entry in enumerate(value)}
    if isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _missing(entry, (*keys, name))
    elif isinstance(value, Path) and keys != ("audit", "file") and not value.is_file():
        yield ".".join(keys), value


def check_writable(settings: Settings) -> None:
    """Check that the file of the audit trail can be written, if one is configured.

    Raises:
        ConfigurationError: if it cannot be opened.
    """
    if settings.audit.file is None:
        return
    try:
        settings.audit.file.open("a").close()
    except OSError as error:
        raise ConfigurationError(f"audit.file: {error.strerror}") from None


def load_from_environment() -> Settings:
    """The configuration in the file that `GATEWAY_CONFIG` names, checked.

    Raises:
        ConfigurationError: if the variable is not set, or the file is not valid.
    """
    path = os.environ.get("GATEWAY_CONFIG")
    if not path:
        raise ConfigurationError("GATEWAY_CONFIG is not set; it names the configuration file")
    return load(Path(path))


def log_level() -> str:
    """The log level: `LOG_LEVEL`, or INFO if the variable is not set.

    Raises:
        ConfigurationError: if the variable holds another text than a level.
    """
    level = os.environ.get("LOG_LEVEL", "INFO").upper()
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ConfigurationError("LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR")
    return level


def host() -> str:
    """The address to listen on: `HOST`, or all addresses if the variable is not set."""
    return os.environ.get("HOST", "0.0.0.0")  # noqa: S104 - a container has no other interface


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
