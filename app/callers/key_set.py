"""An issuer's public keys (JWKS): cached, refreshed, and read at a limited rate."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import requests
import urllib3
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from app.errors import ErrorCode, GatewayError
from app.observability import metrics
from app.observability.logs import event, logger
from app.settings import IssuerSettings

MAX_BYTES = 1024 * 1024  # of a document
MIN_RSA_BITS = 2048
TIMEOUT = (3.0, 5.0)  # seconds to connect, and between two pieces of the document
FIRST_PAUSE = 1.0  # seconds between two reads while no key is known
DEADLINE = 8.0  # seconds for the whole document

_log = logger("callers")


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a key set.

    Args:
        load: Reads the document.
        fresh: Seconds after which the key set is stale.
        pause: The least number of seconds between two reads.
        slow: Whether to refresh a stale set in a thread instead of in the request.
    """

    load: Callable[[], bytes]
    fresh: float
    pause: float
    slow: bool


def _file(path: Path) -> Source:
    return Source(path.read_bytes, fresh=1.0, pause=1.0, slow=False)


def _url(url: str, ca_file: Path | None, token_file: Path | None) -> Source:
    def load() -> bytes:
        headers = {"Accept": "application/json", "User-Agent": "partner-gateway"}
        if token_file:  # read each time: Kubernetes rotates projected tokens
            token = token_file.read_text(encoding="ascii").strip()
            headers["Authorization"] = f"Bearer {token}"
        ends = time.monotonic() + DEADLINE
        with requests.Session() as session:
            session.trust_env = False  # ignore the environment's proxies and .netrc
            session.verify = str(ca_file) if ca_file else True
            with session.get(
                url, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as answer:
                if answer.status_code != 200:
                    raise ValueError("the status is not 200")
                content = b""
                while piece := answer.raw.read1(65536, decode_content=True):
                    content += piece
                    if len(content) > MAX_BYTES or time.monotonic() > ends:
                        raise ValueError("the document is too large or too slow")
                return content

    return Source(load, fresh=300.0, pause=30.0, slow=True)


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
        self._stale_at = 0.0
        self._next_read = monotonic()

    def key(self, key_id: str | None) -> Key | None:
        """The key with an id; None if the issuer has no such key.

        Args:
            key_id: The id. None selects the issuer's key if there is only one.

        Raises:
            GatewayError: IDENTITY_UNAVAILABLE if the set could not be read yet.
        """
        found = self._find(key_id)
        now = self._monotonic()
        if found is None:
            with self._reading:
                found = self._find(key_id)
                if found is None and now >= self._next_read:
                    self._read()
                    found = self._find(key_id)
        elif now >= self._stale_at and now >= self._next_read:
            self._refresh()
        if found is None and not self._keys:
            raise GatewayError(ErrorCode.IDENTITY_UNAVAILABLE, retry_after=FIRST_PAUSE)
        return found

    def _find(self, key_id: str | None) -> Key | None:
        keys = self._keys
        if key_id is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(key_id)

    def _refresh(self) -> None:
        """Read the set again. A slow source is read in a thread; the old keys stay in use."""
        if not self._reading.acquire(blocking=False):
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
        now = self._monotonic()
        self._next_read = now + (self._source.pause if self._keys else FIRST_PAUSE)
        try:
            self._keys = _public_keys(self._source.load())
        except (OSError, ValueError, RecursionError, urllib3.exceptions.HTTPError) as error:
            metrics.KEY_SET_FETCHES.labels(self._issuer, "failed").inc()
            text = "The keys of an issuer cannot be read; the last keys stay in use"
            event(_log, logging.ERROR, text, issuer=self._issuer, error=type(error).__name__)
        else:
            self._stale_at = now + self._source.fresh
            metrics.KEY_SET_FETCHES.labels(self._issuer, "ok").inc()


def key_set(issuer: str, settings: IssuerSettings) -> KeySet:
    """The key set of an issuer, from the file or URL of its settings."""
    if settings.jwks_file:
        return KeySet(issuer, _file(settings.jwks_file))
    return KeySet(issuer, _url(settings.jwks_url or "", settings.ca_file, settings.token_file))
