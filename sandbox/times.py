"""Times in the form of Partner Center's pages."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(seconds: float) -> str:
    """Return a time in seconds since 1970 as `yyyy-MM-dd'T'HH:mm:ss'Z'`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
