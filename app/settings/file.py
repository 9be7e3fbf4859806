"""Reads and checks the YAML file that holds the configuration.

The file is checked as a whole. One message names the path of every wrong or missing key, and
never a value.
"""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from app.settings.sections import Settings


class ConfigurationError(Exception):
    """The configuration is not valid. The message names every invalid key."""


_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class _DuplicateKeyError(ValueError):
    pass


class _StrictLoader(yaml.SafeLoader):
    """A SafeLoader that refuses duplicate keys. PyYAML would keep the last value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name = str(self.construct_object(key, deep=True))
            line = key.start_mark.line + 1
            if name in lines:
                # What does not look like a key may be a secret that is not indented.
                shown = f"`{name}`" if _KEY.fullmatch(name) else "a key"
                text = f"{shown} is set twice, in lines {lines[name]} and {line}"
                raise _DuplicateKeyError(text)
            lines[name] = line
        return super().construct_mapping(node, deep)


# Our texts for two of pydantic's errors. Its other texts name the rule and never the value.
_NAMES_A_KEY = re.compile(r"[a-z0-9_]+: ")
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
    except _DuplicateKeyError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    except (ValueError, RecursionError):  # an impossible date, or recursive aliases
        raise ConfigurationError(f"{path}: is not valid YAML") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path}: must hold a mapping with `accounts` and `callers`")
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        lines = "".join(f"\n  {line}" for line in _faults(error))
        raise ConfigurationError(f"{path} cannot be used:{lines}") from None
