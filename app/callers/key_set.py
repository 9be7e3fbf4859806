"""An issuer's public keys (JWKS): kept, renewed, and never fetched in a flood."""

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

MAX_BYTES = 1024 * 1024
MIN_RSA_BITS = 2048
TIMEOUT = (3.0, 5.0)  # seconds to connect, and between two pieces
FIRST_PAUSE = 1.0  # seconds between two readings as long as there is no key at all
DEADLINE = 8.0  # seconds for the whole document

_log = logger("callers")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a key set comes from.

    Args:
        load: Reads the document.
        fresh: Seconds for which what was read is good.
        pause: Seconds between two readings at least, whatever is asked for.
        slow: Whether reading is better done beside the request that finds the set stale.
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
        if token_file:  # read each time: a projected token is rotated
            token = token_file.read_text(encoding="ascii").strip()
            headers["Authorization"] = f"Bearer {token}"
        ends = time.monotonic() + DEADLINE
        with requests.Session() as session:
            session.trust_env = False  # neither a proxy nor a netrc by accident
            session.verify = str(ca_file) if ca_file else True
            with session.get(
                url, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as answer:
                if answer.status_code != 200:
                    raise ValueError("not answered with 200")
                content = b""
                while piece := answer.raw.read1(65536, decode_content=True):
                    content += piece
                    if len(content) > MAX_BYTES or time.monotonic() > ends:
                        raise ValueError("too large, or too slow")
                return content

    return Source(load, fresh=300.0, pause=30.0, slow=True)


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, and the one algorithm that it is published for, if it is for one only."""

    public: Any
    algorithm: str | None


def _public_keys(document: bytes) -> dict[str, Key]:
    """The keys of a document that can verify signatures, by their ids.

    Symmetric and private keys have no place in a public document, and short RSA keys no worth.

    Raises:
        ValueError: if there is none.
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
            continue  # of a kind that is not known here
        if not isinstance(public, RSAPublicKey) or public.key_size >= MIN_RSA_BITS:
            keys[entry["kid"]] = Key(public, entry.get("alg"))
    if not keys:
        raise ValueError("no key that can be used")
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

    What was read last goes on where reading fails. An id that is not known makes the set be read
    again, but no sooner than the source's pause allows: a flood of such ids is no flood of reads.

    Args:
        issuer: Its name, for log and metrics.
        source: Where the keys are.
        monotonic: The clock.
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
        """The key of that id, or the only one where none is named; None if the issuer has none.

        Raises:
            GatewayError: IDENTITY_UNAVAILABLE as long as the set was never read.
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
            self._renew()
        if found is None and not self._keys:
            raise GatewayError(ErrorCode.IDENTITY_UNAVAILABLE, retry_after=FIRST_PAUSE)
        return found

    def _find(self, key_id: str | None) -> Key | None:
        keys = self._keys
        if key_id is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(key_id)

    def _renew(self) -> None:
        """Read again; where that is slow, beside the request, which the old keys serve."""
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
            text = "The keys of an issuer cannot be read: the last good ones go on"
            event(_log, logging.ERROR, text, issuer=self._issuer, error=type(error).__name__)
        else:
            self._stale_at = now + self._source.fresh
            metrics.KEY_SET_FETCHES.labels(self._issuer, "ok").inc()


def key_set(issuer: str, settings: IssuerSettings) -> KeySet:
    """The key set that an issuer's settings name."""
    if settings.jwks_file:
        return KeySet(issuer, _file(settings.jwks_file))
    return KeySet(issuer, _url(settings.jwks_url or "", settings.ca_file, settings.token_file))
