"""Protects the values in a shared state: encryption and keyed fingerprints."""

import base64
import hmac
import secrets
from hashlib import sha256
from typing import Self

from cryptography.fernet import Fernet, InvalidToken

MINIMUM = 32  # bytes of a key


class Sealing:
    """Encrypts values, and replaces names by keyed fingerprints.

    Args:
        key: The secret key, at least MINIMUM bytes.

    Raises:
        ValueError: if the key is too short.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < MINIMUM:
            raise ValueError(f"a state key has at least {MINIMUM} bytes")
        # Derive one key for each use, so that neither use weakens the other.
        self._naming = hmac.new(hmac.digest(key, b"fingerprint", sha256), digestmod="sha256")
        encryption = hmac.digest(key, b"encryption", sha256)
        self._fernet = Fernet(base64.urlsafe_b64encode(encryption))

    @classmethod
    def random(cls) -> Self:
        """A sealing with a random key, which is lost when the process ends."""
        return cls(secrets.token_bytes(MINIMUM))

    def fingerprint(self, *parts: str) -> str:
        """A keyed hash of the parts, 32 hexadecimal digits. It does not reveal the parts."""
        name = self._naming.copy()  # the shared object stays unchanged
        name.update("\0".join(parts).encode())
        return name.hexdigest()[:32]

    def seal(self, name: str, value: bytes) -> bytes:
        """The value, encrypted, and bound to its name: it cannot be read under another name."""
        return self._fernet.encrypt(self._label(name) + value)

    def unseal(self, name: str, sealed: bytes) -> bytes | None:
        """The decrypted value; None if it was not sealed with this key and this name."""
        try:
            opened = self._fernet.decrypt(sealed)
        except InvalidToken:
            return None
        label = self._label(name)
        return opened.removeprefix(label) if opened.startswith(label) else None

    def _label(self, name: str) -> bytes:
        return self.fingerprint("sealed", name).encode()
