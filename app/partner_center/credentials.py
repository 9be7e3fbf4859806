"""The key pairs of an account, read from mounted files again whenever these change."""

from collections.abc import Sequence
from pathlib import Path

from app.errors import ErrorCode, GatewayError
from app.partner_center.signing import SdkHmacAuth
from app.settings import KeyFiles

_Stamp = tuple[tuple[int, int, int], ...]


def _stamp(files: KeyFiles) -> _Stamp:
    """What changes when a file is replaced: also when a link in its path points elsewhere."""
    stats = [path.stat() for path in (files.access_key_file, files.secret_key_file)]
    return tuple((stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in stats)


def _read(path: Path) -> str:
    text = path.read_text(encoding="ascii").strip()
    if not text or not text.isprintable():
        raise ValueError("a key is printable text")
    return text


def read_pair(files: KeyFiles) -> tuple[str, str]:
    """Access key and secret key as the files hold them now.

    Raises:
        OSError, ValueError: if one of them cannot be read, or holds no key.
    """
    return _read(files.access_key_file), _read(files.secret_key_file)


class Credentials:
    """The signer of an account: the first of its key pairs that can be read."""

    def __init__(self, pairs: Sequence[KeyFiles]) -> None:
        self._pairs = pairs
        # One assignment replaces stamp and signer together, so threads never see half a pair.
        self._signers: dict[int, tuple[_Stamp, SdkHmacAuth]] = {}

    def _signer(self, index: int) -> SdkHmacAuth:
        files = self._pairs[index]
        stamp = _stamp(files)
        known = self._signers.get(index)
        if known and known[0] == stamp:
            return known[1]
        signer = SdkHmacAuth(*read_pair(files))
        self._signers[index] = (stamp, signer)
        return signer

    def signer(self) -> SdkHmacAuth:
        """The signer to use now.

        Raises:
            GatewayError: UPSTREAM_ACCESS_DENIED if no pair can be read.
        """
        for index in range(len(self._pairs)):
            try:
                return self._signer(index)
            except (OSError, ValueError):
                continue
        raise GatewayError(
            ErrorCode.UPSTREAM_ACCESS_DENIED,
            "No key pair of this account can be read from its files.",
        )

    def usable(self) -> bool:
        """Whether there is a pair to sign with."""
        try:
            self.signer()
        except GatewayError:
            return False
        return True
