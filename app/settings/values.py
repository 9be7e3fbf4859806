"""The types of values in the configuration, and their rules."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


def is_loopback(host: str) -> bool:
    """Whether a host is `localhost` or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_address(host: str) -> bool:
    """Whether a host is an IP address, also in the short forms that resolvers accept (`127.1`)."""
    return ":" in host or host.rpartition(".")[2].isdecimal()


def split_url(url: str) -> SplitResult:
    """The parts of a URL.

    Raises:
        ValueError: without the URL, which may hold a secret; urlsplit's own text holds the URL.
    """
    # urlsplit drops line breaks and tabs, and keeps blanks as a part of the host's name.
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("must hold no white space")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("must be a URL") from None
    return parts


def _check_origin(url: str, parts: SplitResult) -> str:
    """The URL without a slash at its end, if it holds scheme, host and port only."""
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold scheme, host and port only")
    if parts.path not in ("", "/"):
        raise ValueError("must have no path")
    return url.rstrip("/")


def _check_url(url: str) -> str:
    """An https URL of scheme, host and port. http is allowed to loopback only, for the sandbox."""
    parts = split_url(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("must be an https URL")
    # Names below `.localhost` are allowed for Huawei's endpoints only: their connections never use
    # a resolver for such a name, whose answer could send plain http out of this machine.
    local = is_loopback(parts.hostname) or parts.hostname.endswith(".localhost")
    if parts.scheme == "http" and not local:
        raise ValueError("must be https; http is for loopback addresses only")
    return _check_origin(url, parts)


def _check_service(url: str) -> str:
    """An http or https URL of scheme, host and port, for a service of the company's network."""
    parts = split_url(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https URL")
    return _check_origin(url, parts)


def _check_document(url: str) -> str:
    """An https URL of a document. http is allowed to loopback only."""
    parts = split_url(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("must be an https URL")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must be https; http is for loopback addresses only")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("must hold no user, password or fragment")
    return url


def _check_webhook(url: str) -> str:
    """An http or https URL with a path; whether http is allowed depends on other settings."""
    parts = split_url(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("must be an https URL")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("must hold no user, password or fragment")
    if not url.isascii():
        raise ValueError("must hold ASCII characters only")
    return url


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        raise ValueError("must be a regular expression") from None
    return pattern


def _check_file(path: Path) -> Path:
    if not path.is_absolute() or "\n" in str(path):
        raise ValueError("must be the absolute path of a file, not the secret itself")
    return path


def _check_proxy(url: str) -> str:
    parts = split_url(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https URL")
    if parts.username or parts.password:
        raise ValueError("must hold no user and password")
    return url


Url = Annotated[str, AfterValidator(_check_url)]
ServiceUrl = Annotated[str, AfterValidator(_check_service)]
DocumentUrl = Annotated[str, AfterValidator(_check_document)]
WebhookUrl = Annotated[str, AfterValidator(_check_webhook)]
Pattern = Annotated[str, AfterValidator(_check_pattern)]
File = Annotated[Path, AfterValidator(_check_file)]
ProxyUrl = Annotated[str, AfterValidator(_check_proxy)]
# Names become log fields, header values and metric labels.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
# The partner_id is part of a signed path, so that only the characters of an id are allowed.
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Seconds = Annotated[float, Field(ge=0.1, le=60)]


class Section(BaseModel):
    """A section of the configuration. It refuses unknown keys, and its errors show no value."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
