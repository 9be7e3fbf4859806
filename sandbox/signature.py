"""Verifies SDK-HMAC-SHA256 as the API Gateway does: by the raw request line.

Source: Huawei Cloud, API Request Signing Guide (devg-apisign, api-sign-0001).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote_to_bytes

from .calls import Call

ALGORITHM = "SDK-HMAC-SHA256"
TOLERANCE_SECONDS = 15 * 60
REQUIRED = ("host", "x-sdk-date")
# An intermediary could replace an unsigned header without invalidating the signature.
SIGNED_IF_SENT = ("content-type", "x-security-token", "x-domain-id", "x-sdk-content-sha256")
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Access=(?P<access_key>[^,\s]+),"
    r" SignedHeaders=(?P<headers>[a-z0-9-]+(?:;[a-z0-9-]+)*),"
    r" Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Credential:
    """The parts of the Authorization header."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str


def read_credential(authorization: str) -> Credential | None:
    """Return the parts of the Authorization header; None if it is malformed."""
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None:
        return None
    return Credential(match["access_key"], tuple(match["headers"].split(";")), match["signature"])


def sign_time(text: str) -> float | None:
    """Return a basic ISO 8601 time as seconds since 1970; None if the text is malformed."""
    if not re.fullmatch(r"\d{8}T\d{6}Z", text, re.ASCII):
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def encode(raw: bytes, safe: str = "") -> str:
    """Percent-encode all bytes except the unreserved characters of RFC 3986 and those in `safe`."""
    return quote(raw, safe=f"~{safe}")


def canonical_query(query: str) -> str:
    """Return the query with its pairs decoded, sorted and encoded. A plus sign is not a space."""
    pairs = []
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in sorted(pairs))


def canonical_path(path: str) -> str:
    """Return the path decoded, encoded once, and with a slash at its end."""
    encoded = encode(unquote_to_bytes(path), safe="/")
    return encoded if encoded.endswith("/") else f"{encoded}/"


def payload_hash(call: Call) -> str:
    """Return the hash of the payload, the last line of the canonical request."""
    announced = call.headers.get("x-sdk-content-sha256")
    if call.body and announced == UNSIGNED_PAYLOAD:
        return UNSIGNED_PAYLOAD
    return hashlib.sha256(call.body).hexdigest()


def canonical_request(call: Call, signed_headers: Sequence[str]) -> bytes:
    """Return the canonical request. Header values keep the bytes that were sent."""
    head = f"{call.method.upper()}\n{canonical_path(call.path)}\n{canonical_query(call.query)}\n"
    lines = "".join(f"{name}:{call.headers.get(name, '')}\n" for name in signed_headers)
    tail = f"\n{';'.join(signed_headers)}\n{payload_hash(call)}"
    return head.encode() + lines.encode("latin-1") + tail.encode()


def required_headers_are_signed(call: Call, signed_headers: Sequence[str]) -> bool:
    """Whether the signed headers were sent, are sorted, and cover all that must be signed."""
    needed = {*REQUIRED, *(name for name in SIGNED_IF_SENT if name in call.headers)}
    return (
        needed <= set(signed_headers)
        and list(signed_headers) == sorted(set(signed_headers))
        and all(name in call.headers for name in signed_headers)
    )


def signature_matches(call: Call, credential: Credential, secret_key: str) -> bool:
    """Whether the signature is correct for this request and secret key."""
    if not required_headers_are_signed(call, credential.signed_headers):
        return False
    announced = call.headers.get("x-sdk-content-sha256", UNSIGNED_PAYLOAD)
    if announced not in (UNSIGNED_PAYLOAD, hashlib.sha256(call.body).hexdigest()):
        return False
    digest = hashlib.sha256(canonical_request(call, credential.signed_headers)).hexdigest()
    message = f"{ALGORITHM}\n{call.headers['x-sdk-date']}\n{digest}"
    expected = hmac.new(secret_key.encode(), message.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, credential.signature)
