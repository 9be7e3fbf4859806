"""The sources of key sets (JWKS): a mounted file, or a URL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from app.settings import IssuerSettings, version_of

# The API server of a cluster answers its key set in this type only, and refuses a request that
# does not accept it by 406 (RFC 7517 registers the type). Identity providers answer plain JSON.
ACCEPT = "application/jwk-set+json, application/json"
DEADLINE = 5.0  # seconds for a whole fetch: name look-up, connection, head and body


class Fetched(Protocol):
    """The answer to the request for a key set."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def content(self) -> bytes | None:
        """The body; None if it is too long."""


# Sends a GET request: path and query, headers, seconds for the whole exchange. Raises a
# GatewayError if no whole answer arrives in time.
Get = Callable[[str, Mapping[str, str], float], Fetched]
# Returns the Get of a service: scheme, host and port, and the file of the trusted authorities.
Reach = Callable[[str, Path | None], Get]


class FetchError(ValueError):
    """A key set was answered with another status than 200, or is too long.

    Args:
        status: The HTTP status.
    """

    def __init__(self, status: int) -> None:
        super().__init__("the answer is not a key set")
        self.status = status


def _unknown() -> None:
    """Stands in for the version of a document that has to be read."""


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a key set.

    Args:
        load: Reads the document.
        fresh: Seconds after which the key set is stale.
        pause: The least number of seconds between two reads.
        slow: Whether to refresh a stale set in a thread instead of in the request.
        version: Returns the present version of the document, so that the same version is not read
            twice; None if only reading can tell.
        place: The URL without its query, for the log; None for a file.
    """

    load: Callable[[], bytes]
    fresh: float
    pause: float
    slow: bool
    version: Callable[[], object | None] = _unknown
    place: str | None = None


def from_file(path: Path) -> Source:
    """The source of a key set in a mounted file."""
    return Source(
        path.read_bytes, fresh=1.0, pause=0.0, slow=False, version=lambda: version_of(path)
    )


def from_url(url: str, token_file: Path | None, get: Get) -> Source:
    """The source of a key set at a URL.

    Args:
        url: The URL.
        token_file: Holds a bearer token to send; it is read for each fetch, because Kubernetes
            rotates projected tokens.
        get: Sends the request.
    """
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc}{parts.path}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def load() -> bytes:
        headers = {"Accept": ACCEPT}
        if token_file:
            token = token_file.read_text(encoding="ascii").strip()
            headers["Authorization"] = f"Bearer {token}"
        answer = get(target, headers, DEADLINE)
        if answer.status != 200 or answer.content is None:
            raise FetchError(answer.status)
        return answer.content

    return Source(load, fresh=300.0, pause=30.0, slow=True, place=place)


def source(settings: IssuerSettings, reach: Reach) -> Source:
    """The source that an issuer's settings name.

    Args:
        settings: The settings of the issuer.
        reach: Returns what sends requests to a service.
    """
    if settings.jwks_file:
        return from_file(settings.jwks_file)
    url = settings.jwks_url or ""
    parts = urlsplit(url)
    get = reach(f"{parts.scheme}://{parts.netloc}", settings.ca_file)
    return from_url(url, settings.token_file, get)
