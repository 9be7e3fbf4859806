"""Reads and checks the configuration file; the only reader of the environment.

The YAML file that `GATEWAY_CONFIG` names is checked as a whole: every wrong or missing key is
named in one message by its path, never with its value.
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
    """The configuration cannot be used; the message names every key at fault."""


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice, where YAML would let the last one win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(set(map(str, keys))) != len(keys):
            raise yaml.constructor.ConstructorError(None, None, "a key twice", node.start_mark)
        return super().construct_mapping(node, deep)


# pydantic's own words for the rest name the rule and never the value.
_NAMES_A_KEY = re.compile(r"[a-z_]+: ")
_RULES = {"missing": "is missing", "extra_forbidden": "is not a known key"}


def _faults(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for fault in error.errors(include_input=False, include_url=False, include_context=False):
        path = ".".join(str(step) for step in fault["loc"])
        rule = _RULES.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        for line in rule.splitlines():
            # A rule over several keys names the key at fault itself.
            joint = "." if _NAMES_A_KEY.match(line) else ": "
            lines.append(f"{path}{joint}{line}" if path else line)
    return lines


def load(path: Path) -> Settings:
    """Read and check the configuration at `path`.

    Raises:
        ConfigurationError: naming every key at fault.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not UTF-8") from None
    except yaml.YAMLError as error:
        # The library's text shows the faulty line, which may hold anything: only say where it is.
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ConfigurationError(f"{path}: is not proper YAML{where}") from None
    except (ValueError, RecursionError):  # a date that is none, aliases without end
        raise ConfigurationError(f"{path}: is not proper YAML") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path}: must hold a mapping with `accounts` and `callers`")
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        lines = "".join(f"\n  {line}" for line in _faults(error))
        raise ConfigurationError(f"{path} cannot be used:{lines}") from None


def missing_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """The files that the configuration names and that are not there (yet), by their keys."""
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
    """See that the file of the audit trail can be written.

    Raises:
        ConfigurationError: if it cannot.
    """
    if settings.audit.file is None:
        return
    try:
        settings.audit.file.open("a").close()
    except OSError as error:
        raise ConfigurationError(f"audit.file: {error.strerror}") from None


def load_from_environment() -> Settings:
    """Read the configuration that `GATEWAY_CONFIG` names.

    Raises:
        ConfigurationError: if the variable is not set, or the file cannot be used.
    """
    path = os.environ.get("GATEWAY_CONFIG")
    if not path:
        raise ConfigurationError("GATEWAY_CONFIG is not set; it names the configuration file")
    return load(Path(path))


def log_level() -> str:
    """The level that `LOG_LEVEL` names; INFO if it is not set.

    Raises:
        ConfigurationError: if it names no level.
    """
    level = os.environ.get("LOG_LEVEL", "INFO").upper()
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ConfigurationError("LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR")
    return level


def host() -> str:
    """The address that `HOST` names to listen on; all of them if it is not set."""
    return os.environ.get("HOST", "0.0.0.0")  # noqa: S104 - a container's only way in


def address(host: str, port: int) -> str:
    """Both as one; an IPv6 address stands in brackets then."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def port(variable: str, default: int) -> int:
    """The port that an environment variable names.

    Raises:
        ConfigurationError: if it is not a port number.
    """
    text = os.environ.get(variable, str(default))
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise ConfigurationError(f"{variable} must be a port number")
    return int(text)
