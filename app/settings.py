"""Reads and checks the configuration file; the only reader of the environment.

The YAML file that `GATEWAY_CONFIG` names is checked as a whole: every wrong or missing key is
named in one message by its path, never with its value. A secret is always the path of a file.
"""

import os
from collections.abc import Hashable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

Scope = Literal["verifications:read", "verifications:write", "attachments:write", "operations:read"]


class ConfigurationError(Exception):
    """The configuration cannot be used; the message names every key at fault."""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_url(url: str) -> str:
    """An https URL of scheme, host and port; http to loopback only (for the sandbox)."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("must be a URL") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("must be an https URL")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("must be https; http is for loopback addresses only")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold scheme, host and port only")
    if parts.path not in ("", "/"):
        raise ValueError("must have no path")
    return url.rstrip("/")


def _check_file(path: Path) -> Path:
    if not path.is_absolute() or "\n" in str(path):
        raise ValueError("must be the absolute path of a file, never a secret itself")
    return path


def _check_proxy(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https URL")
    return url


Url = Annotated[str, AfterValidator(_check_url)]
File = Annotated[Path, AfterValidator(_check_file)]
ProxyUrl = Annotated[str, AfterValidator(_check_proxy)]
# Names become log fields, header values and metric labels.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
# partner_id stands in a signed path, so it is held to the characters of an id.
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Seconds = Annotated[float, Field(ge=0.1, le=60)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class KeyFiles(_Section):
    """Where an access key and its secret are mounted."""

    access_key_file: File = Field(description="file that holds the access key")
    secret_key_file: File = Field(description="file that holds the secret key")


class VerificationSettings(_Section):
    """How the verifications of an account are served."""

    backend: Literal["legacy", "review", "auto"] = Field(
        "auto", description="upstream generation: `legacy`, `review`, or `auto` to choose"
    )
    legacy_numbers: Literal["integer", "string"] = Field(
        "integer",
        description="form of numbers in a legacy body: Huawei's table says integers, the example "
        "printed beside it sends strings",
    )


class TimeoutSettings(_Section):
    """How long an upstream call may take."""

    connect: Seconds = Field(3.0, description="seconds to connect")
    read: Seconds = Field(15.0, description="seconds from request to whole answer")


class AccountSettings(_Section):
    """One partner account at Huawei."""

    endpoint: Url = Field(description="Partner Center of the account's site")
    partner_id: Id = Field(description="the partner's Huawei account id")
    platform_id: str = Field(
        min_length=1, max_length=64, description="the platform id (Huawei's `xaccountType`)"
    )
    authentication: Literal["signature"] = Field(
        "signature", description="how the gateway authenticates to Huawei"
    )
    credentials: tuple[KeyFiles, ...] = Field(
        min_length=1, max_length=4, description="key pairs; the first one that is usable signs"
    )
    verification: VerificationSettings = VerificationSettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    ca_file: File | None = Field(
        None, description="certificate authorities to trust in place of the built-in ones"
    )
    proxy: ProxyUrl | None = Field(
        None, repr=False, description="HTTP proxy towards Huawei; the environment's are not used"
    )


class CallerSettings(_Section):
    """One internal service: how it proves who it is, and what it may do."""

    keys_sha256: tuple[Digest, ...] = Field(
        min_length=1,
        max_length=2,
        repr=False,
        description="SHA-256 of the caller's keys in hex; two, so that a key can be rotated",
    )
    scopes: frozenset[Scope] = Field(
        frozenset(), description="what the caller may do; nothing unless listed"
    )
    accounts: tuple[Name, ...] = Field(
        ("default",), min_length=1, description="accounts it may use; the first is its default"
    )


class Settings(_Section):
    """The whole configuration."""

    accounts: Mapping[Name, AccountSettings] = Field(
        min_length=1, description="partner accounts by name"
    )
    callers: Mapping[Name, CallerSettings] = Field(description="callers by name")

    @model_validator(mode="after")
    def _check_callers(self) -> Self:
        seen: dict[str, str] = {}
        faults = []
        for name, caller in self.callers.items():
            faults += [
                f"callers.{name}.accounts: there is no account {account!r}"
                for account in caller.accounts
                if account not in self.accounts
            ]
            for digest in caller.keys_sha256:
                other = seen.setdefault(digest, name)
                if other != name:
                    faults.append(f"callers.{name}.keys_sha256: shares a key with {other}")
        if faults:
            raise ValueError("\n".join(faults))
        return self


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice, where YAML would let the last one win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(set(map(str, keys))) != len(keys):
            raise yaml.constructor.ConstructorError(None, None, "a key twice", node.start_mark)
        return super().construct_mapping(node, deep)


# pydantic's own words for the rest name the rule and never the value.
_RULES = {"missing": "is missing", "extra_forbidden": "is not a known key"}


def _faults(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for fault in error.errors(include_input=False, include_url=False, include_context=False):
        path = ".".join(str(step) for step in fault["loc"])
        rule = _RULES.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        lines += [f"{path}: {rule}"] if path else rule.splitlines()
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
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path}: must hold a mapping with `accounts` and `callers`")
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        lines = "".join(f"\n  {line}" for line in _faults(error))
        raise ConfigurationError(f"{path} cannot be used:{lines}") from None


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


def port(variable: str, default: int) -> int:
    """The port that an environment variable names.

    Raises:
        ConfigurationError: if it is not a port number.
    """
    text = os.environ.get(variable, str(default))
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise ConfigurationError(f"{variable} must be a port number")
    return int(text)
