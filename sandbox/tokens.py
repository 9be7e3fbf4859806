"""The IAM tokens that the sandbox has issued, and their revocations."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from .settings import InvalidControl

# The refusals of a revoked token. Huawei's services use different codes and texts.
REVOCATIONS = ("expired", "decrypt", "APIGW.0307", "CBC.0154", "IAM.0066", "IAM.0067")


@dataclass(slots=True)
class Token:
    """One token of the partner, or of a customer who trusts the partner."""

    issued_at: float
    expires_at: float
    customer: bool = False
    revoked_as: str | None = None


class Tokens:
    """All tokens since the start. A new token does not end older tokens."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    def issue(self, now: float, lifetime: float, *, customer: bool = False) -> tuple[str, Token]:
        """Create a token, and return its text and the token.

        The text is as long as a real token and begins with MII, as base64 of DER does.
        """
        text = f"MII{secrets.token_urlsafe(1500)}"
        token = Token(now, now + lifetime, customer)
        self._tokens[text] = token
        return text, token

    def find(self, text: str) -> Token | None:
        """Return the token with this text, or None."""
        return self._tokens.get(text)

    def revoke(self, reason: str) -> None:
        """Revoke all tokens issued so far.

        Args:
            reason: The refusal of their next use, one of REVOCATIONS.

        Raises:
            InvalidControl: the reason is unknown.
        """
        if reason not in REVOCATIONS:
            raise InvalidControl(f"`as` must be one of {REVOCATIONS}, not {reason!r}")
        for token in self._tokens.values():
            token.revoked_as = reason

    def __len__(self) -> int:
        return len(self._tokens)


def iso_time(moment: float) -> str:
    """Return a time in IAM's form: 2020-01-04T09:08:49.965000Z."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
