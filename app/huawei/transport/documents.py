"""Fetches documents of other services by the transport of Huawei's endpoints.

A fetch has one deadline, verifies certificates by the same authorities, follows no redirect, and
ignores the environment's proxies and .netrc.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from app.huawei.transport.connection import Reply
from app.huawei.transport.endpoint import Endpoint
from app.settings.accounts import TimeoutSettings


@dataclass(frozen=True, slots=True)
class Direct:
    """The way to a service without a proxy."""

    ca_file: Path | None
    proxy: None = None
    timeouts: TimeoutSettings = field(default_factory=TimeoutSettings)

    @classmethod
    def within(cls, seconds: float, ca_file: Path | None, *, connect: float) -> Self:
        """A way whose requests take at most so many seconds, and no longer than this to connect."""
        timeouts = TimeoutSettings(connect=min(connect, seconds), read=seconds)
        return cls(ca_file, timeouts=timeouts)


def reach(url: str, ca_file: Path | None) -> Callable[[str, Mapping[str, str], float], Reply]:
    """A function that sends GET requests to one service.

    Its arguments are the path with the query, the headers, and the seconds for the whole
    exchange. It returns the answer, and raises a GatewayError if no whole answer arrives in time.

    Args:
        url: Scheme, host and port.
        ca_file: The file of the certificate authorities; None for the machine's authorities.

    Raises:
        OSError: if the file cannot be read.
    """
    endpoint = Endpoint(url, Direct(ca_file))

    def get(target: str, headers: Mapping[str, str], within: float) -> Reply:
        ends = time.monotonic() + within
        return endpoint.send("GET", target, headers, None, writes=False, ends=ends)

    return get
