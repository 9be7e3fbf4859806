"""Signs webhooks by the Standard Webhooks specification, with the secrets of a mounted file."""

import base64
import logging
import re
from datetime import datetime
from pathlib import Path

from standardwebhooks import Webhook as Signer

from app.observability.logs import event, logger
from app.settings import FileVersion, version_of

MOST = 2  # secrets: the one in use, and while it is rotated the next one
LENGTH = range(24, 65)  # bytes of a secret, by the specification
_SECRET = re.compile(r"whsec_([A-Za-z0-9+/]+={0,2})")
_UNREAD = (0, 0, 0)  # no file has this version

_log = logger("webhooks")


class SecretError(Exception):
    """There is no secret to sign with."""


class SecretFile:
    """The secrets of one webhook. The file is read again when it changes.

    Args:
        path: The file: `whsec_` and base64, one secret a line.
        caller: The caller's name, for the log.
    """

    def __init__(self, path: Path, caller: str) -> None:
        self._path = path
        self._caller = caller
        self._version: FileVersion | None = _UNREAD
        self._signers: tuple[Signer, ...] = ()

    def sign(self, id: str, time: datetime, body: str) -> str:
        """The header `webhook-signature`: a signature by each secret.

        If a changed file cannot be used, the last secrets stay in use.

        Args:
            id: The header `webhook-id`.
            time: The header `webhook-timestamp`, in UTC.
            body: The body.

        Raises:
            SecretError: if the file never held a secret.
        """
        version = version_of(self._path)
        if version != self._version or not self._signers:
            self._version = version
            self._read()
        if not self._signers:
            raise SecretError
        return " ".join(signer.sign(id, time, body) for signer in self._signers)

    def _read(self) -> None:
        try:
            self._signers = _signers(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            text = "The secret of a webhook cannot be used"
            reason = error.strerror if isinstance(error, OSError) else "malformed"
            event(
                _log,
                logging.ERROR,
                f"{text}; the last one stays in use" if self._signers else text,
                caller=self._caller,
                reason=reason,
            )
        else:
            text = "The secrets of a webhook are in use"
            event(_log, logging.INFO, text, caller=self._caller, secrets=len(self._signers))


def _signers(text: str) -> tuple[Signer, ...]:
    """The signers of the secrets in a text.

    Raises:
        ValueError: if the text does not hold one or two secrets, each of the right length.
    """
    lines = text.split()
    found = [_SECRET.fullmatch(line) for line in lines]
    secrets = [base64.b64decode(one[1], validate=True) for one in found if one]
    right = all(len(secret) in LENGTH for secret in secrets)
    if not (right and len(secrets) == len(lines) and 1 <= len(lines) <= MOST):
        raise ValueError("no secret of a webhook")
    return tuple(Signer(secret) for secret in secrets)
