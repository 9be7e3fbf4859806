"""An issuer's public keys (JWKS): cached, refreshed, and read at a limited rate."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from app.callers.sources import DEADLINE, FetchError, Source
from app.errors import ErrorCode, GatewayError
from app.observability import metrics
from app.observability.logs import event, logger

MIN_RSA_BITS = 2048
RETRY_PAUSE = 1.0  # the least number of seconds between a failed read and the next read

_log = logger("callers")


@dataclass(frozen=True, slots=True)
class Key:
    """A public key of an issuer.

    Args:
        public: The key, as PyJWT uses it.
        algorithm: The only algorithm that the key may be used with; None if it is not limited.
    """

    public: Any
    algorithm: str | None


def _public_keys(document: bytes) -> dict[str, Key]:
    """The keys of a JWKS document that can verify signatures, by their ids.

    Symmetric keys, private keys and RSA keys below MIN_RSA_BITS are ignored.

    Raises:
        ValueError: if the document holds no usable key.
    """
    content = json.loads(document)
    entries = content.get("keys") if isinstance(content, dict) else None
    keys = {}
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not _verifies(entry):
            continue
        try:
            public = jwt.PyJWK.from_dict(entry).key
        except (jwt.PyJWTError, ValueError, TypeError):
            continue  # PyJWT does not support the kind of the key
        if not isinstance(public, RSAPublicKey) or public.key_size >= MIN_RSA_BITS:
            keys[entry["kid"]] = Key(public, entry.get("alg"))
    if not keys:
        raise ValueError("the document holds no usable key")
    return keys


def _verifies(entry: Mapping[str, Any]) -> bool:
    return (
        entry.get("kty") in ("RSA", "EC", "OKP")
        and entry.get("use", "sig") == "sig"
        and isinstance(entry.get("kid"), str)
        and "d" not in entry
    )


class KeySet:
    """The keys of one issuer.

    If a read fails, the last keys stay in use. An unknown key id causes a new read, at most once
    per `pause` of the source: a flood of unknown ids does not become a flood of reads.

    Args:
        issuer: The issuer's name, for log and metrics.
        source: The source of the keys.
        monotonic: The clock, in seconds.
    """

    def __init__(
        self, issuer: str, source: Source, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._source = source
        self._monotonic = monotonic
        self._reading = threading.Lock()
        self._keys: Mapping[str, Key] = {}
        self._version: object | None = None
        self._read_at = float("-inf")  # the start of the last read that succeeded
        self._stale_at = 0.0
        self._next_read = monotonic()

    def key(self, key_id: str | None) -> Key | None:
        """The key with an id; None if the issuer has no such key.

        A known key is returned without waiting, also during a read. The request with an unknown
        id waits for a read.

        Args:
            key_id: The id. None selects the issuer's key if there is only one.

        Raises:
            GatewayError: IDENTITY_UNAVAILABLE if the set could not be read since this was called,
                so that the issuer may have published the key meanwhile.
        """
        asked = self._monotonic()
        if asked >= self._stale_at and self._keys:
            self._refresh()
        found = self._find(key_id)
        if found is not None or (key_id is None and self._keys):
            return found
        self._read_since(asked)
        found = self._find(key_id)
        if found is None and self._read_at < asked:
            pause = max(0.0, self._next_read - self._monotonic())
            raise GatewayError(ErrorCode.IDENTITY_UNAVAILABLE, retry_after=pause or RETRY_PAUSE)
        return found

    def _find(self, key_id: str | None) -> Key | None:
        keys = self._keys
        if key_id is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(key_id)

    def _read_since(self, asked: float) -> None:
        """Read the set, unless another request has read it since `asked`, or the pause lasts."""
        if not self._reading.acquire(timeout=DEADLINE):
            return
        try:
            if self._read_at < asked and self._monotonic() >= self._next_read:
                self._read()
        finally:
            self._reading.release()

    def _refresh(self) -> None:
        """Read the set again. A slow source is read in a thread; the old keys stay in use."""
        if self._monotonic() < self._next_read or not self._reading.acquire(blocking=False):
            return

        def work() -> None:
            try:
                self._read()
            finally:
                self._reading.release()

        if self._source.slow:
            threading.Thread(target=work, daemon=True).start()
        else:
            work()

    def _read(self) -> None:
        begun, pause = self._monotonic(), self._source.pause
        try:
            version = self._source.version()
            if version is None or version != self._version:
                self._keys = _public_keys(self._source.load())
                self._version = version
        except (OSError, ValueError, RecursionError, GatewayError) as error:
            pause = max(pause, RETRY_PAUSE) if self._keys else RETRY_PAUSE
            self._report(error)
        else:
            self._read_at, self._stale_at = begun, begun + self._source.fresh
            metrics.KEY_SET_FETCHES.labels(self._issuer, "ok").inc()
        # From the end of the read, so that the requests that waited for it do not read in turn.
        self._next_read = self._monotonic() + pause

    def _report(self, error: Exception) -> None:
        metrics.KEY_SET_FETCHES.labels(self._issuer, "failed").inc()
        event(
            _log,
            logging.ERROR,
            "The keys of an issuer cannot be read; the last keys stay in use"
            if self._keys
            else "The keys of an issuer cannot be read; its tokens cannot be checked",
            issuer=self._issuer,
            url=self._source.place,
            status=error.status if isinstance(error, FetchError) else None,
            code=error.code.name if isinstance(error, GatewayError) else None,
            error=type(error).__name__,
        )
