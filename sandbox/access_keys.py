"""The access keys that the sandbox knows, their failed signatures and their locks."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .settings import InvalidControl, is_number

# "More than five consecutive failures lock the key for five minutes" (API Gateway FAQ,
# apig-faq-0003): the sixth failure locks.
FAILURES_BEFORE_LOCK = 5
LOCK_SECONDS = 300

START_KEYS = {
    "SANDBOXACCESSKEY0001": "sandbox-secret-key-0001-not-a-secret",
    "SANDBOXACCESSKEY0002": "sandbox-secret-key-0002-not-a-secret",
}
OBS_ACCESS_KEY = "SANDBOXOBSKEY0000001"
OBS_SECRET_KEY = "sandbox-obs-secret-not-a-secret"  # noqa: S105 - public by design


@dataclass(slots=True)
class AccessKey:
    """One access key with its secret key; a temporary key has a security token and expires."""

    secret_key: str
    security_token: str | None = None
    expires_at: float | None = None
    customer: bool = False
    failures: int = 0
    failures_total: int = 0
    locked_until: float = 0

    def fail(self, now: float) -> None:
        """Count a failed signature. More than FAILURES_BEFORE_LOCK in a row lock the key."""
        self.failures += 1
        self.failures_total += 1
        if self.failures > FAILURES_BEFORE_LOCK:
            self.locked_until = now + LOCK_SECONDS
            self.failures = 0

    def expired(self, now: float) -> bool:
        """Whether the key is temporary and has expired."""
        return self.expires_at is not None and now >= self.expires_at


class AccessKeys:
    """All access keys of the partner and its customers."""

    def __init__(self) -> None:
        self._keys = {name: AccessKey(secret) for name, secret in START_KEYS.items()}

    def find(self, name: str) -> AccessKey | None:
        """Return the key with this name, or None."""
        return self._keys.get(name)

    def issue(self, expires_at: float, *, customer: bool) -> tuple[str, AccessKey]:
        """Create a temporary key, and return its name and the key."""
        name = secrets.token_hex(10).upper()
        key = AccessKey(secrets.token_hex(20), secrets.token_urlsafe(300), expires_at, customer)
        self._keys[name] = key
        return name, key

    def replace(self, document: Mapping[str, Any], now: float) -> None:
        """Replace all keys by the keys of a document."""
        self._keys = {name: _read_key(name, entry, now) for name, entry in document.items()}

    def unlock(self) -> None:
        """Unlock every key and reset its failures in a row."""
        for key in self._keys.values():
            key.failures, key.locked_until = 0, 0

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return the counts and locks of each key, without secrets."""
        return {
            name: {
                "failures": key.failures_total,
                "failures_in_a_row": key.failures,
                "locked": key.locked_until > now,
                "temporary": key.security_token is not None,
            }
            for name, key in self._keys.items()
        }


def _read_key(name: str, entry: Any, now: float) -> AccessKey:
    if not isinstance(entry, dict) or not entry.keys() <= _FIELDS or "secret_key" not in entry:
        raise InvalidControl(f"access key {name}: must be an object with {sorted(_FIELDS)}")
    token, lifetime = entry.get("security_token"), entry.get("expires_in")
    if not isinstance(entry["secret_key"], str) or not isinstance(token, str | None):
        raise InvalidControl(f"access key {name}: secret_key and security_token must be strings")
    if lifetime is not None and not is_number(lifetime):
        raise InvalidControl(f"access key {name}: expires_in must be a number of seconds")
    return AccessKey(entry["secret_key"], token, None if lifetime is None else now + lifetime)


_FIELDS = {"secret_key", "security_token", "expires_in"}
