"""The key that protects what is put into a shared state."""

import base64
import hmac
import secrets
from hashlib import sha256
from typing import Self

from cryptography.fernet import Fernet, InvalidToken

MINIMUM = 32  # bytes of a key


class Sealing:
    """Encrypts values, and replaces names by keyed fingerprints."""

    def __init__(self, key: bytes) -> None:
        if len(key) < MINIMUM:
            raise ValueError(f"a state key has at least {MINIMUM} bytes")
        # Two keys of one, so that neither use weakens the other.
        self._naming = hmac.new(hmac.digest(key, b"fingerprint", sha256), digestmod="sha256")
        encryption = hmac.digest(key, b"encryption", sha256)
        self._fernet = Fernet(base64.urlsafe_b64encode(encryption))

    @classmethod
    def random(cls) -> Self:
        """A key that dies with the process."""
        return cls(secrets.token_bytes(MINIMUM))

    def fingerprint(self, *parts: str) -> str:
        """A name for the parts from which they cannot be told."""
        name = self._naming.copy()  # never changed itself
        name.update("\0".join(parts).encode())
        return name.hexdigest()[:32]

    def seal(self, value: bytes) -> bytes:
        """The value, encrypted."""
        return self._fernet.encrypt(value)

    def unseal(self, sealed: bytes) -> bytes | None:
        """The value; None if it was sealed with another key."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            return None
