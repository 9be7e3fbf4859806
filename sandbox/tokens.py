"""The IAM tokens the sandbox has issued, and why one is not taken any more."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from .settings import Unknown

# What a revoked token is refused with: Huawei's services have different words for it.
REVOCATIONS = ("expired", "decrypt", "APIGW.0307", "CBC.0154", "IAM.0066", "IAM.0067")


@dataclass(slots=True)
class Token:
    """One token: of the partner, or of a customer who trusts the partner."""

    issued_at: float
    expires_at: float
    customer: bool = False
    revoked_as: str | None = None


class Tokens:
    """All tokens since the start; a new one does not end the older ones."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    def issue(self, now: float, lifetime: float, *, customer: bool = False) -> tuple[str, Token]:
        """Make a token as long as the real ones, which begin with MII (base64 of DER)."""
        text = f"MII{secrets.token_urlsafe(1500)}"
        token = Token(now, now + lifetime, customer)
        self._tokens[text] = token
        return text, token

    def find(self, text: str) -> Token | None:
        """Return what is known of this token, or None."""
        return self._tokens.get(text)

    def revoke(self, reason: str) -> None:
        """Refuse every token issued so far."""
        if reason not in REVOCATIONS:
            raise Unknown(f"tokens are revoked as one of {REVOCATIONS}, not {reason!r}")
        for token in self._tokens.values():
            token.revoked_as = reason

    def __len__(self) -> int:
        return len(self._tokens)


def iso_time(moment: float) -> str:
    """Write a time as IAM does: 2020-01-04T09:08:49.965000Z."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
