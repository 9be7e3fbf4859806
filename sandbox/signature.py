"""SDK-HMAC-SHA256 as the API Gateway reads it: from the raw request line.

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
# Unsigned, any of these could be swapped on the way without breaking the signature.
SIGNED_IF_SENT = ("content-type", "x-security-token", "x-domain-id", "x-sdk-content-sha256")
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Access=(?P<access_key>[^,\s]+),"
    r" SignedHeaders=(?P<headers>[a-z0-9-]+(?:;[a-z0-9-]+)*),"
    r" Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Credential:
    """What the Authorization header says."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str


def read_credential(authorization: str) -> Credential | None:
    """Read the Authorization header, or None if it is malformed."""
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None:
        return None
    return Credential(match["access_key"], tuple(match["headers"].split(";")), match["signature"])


def sign_time(text: str) -> float | None:
    """Read a basic ISO 8601 time, or None if it is not one."""
    if not re.fullmatch(r"\d{8}T\d{6}Z", text, re.ASCII):
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def encode(raw: bytes, safe: str = "") -> str:
    """Percent-encode all but the unreserved characters of RFC 3986."""
    return quote(raw, safe=f"~{safe}")


def canonical_query(query: str) -> str:
    """Sort the decoded pairs and encode them anew; a plus sign is a plus sign, not a space."""
    pairs = []
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in sorted(pairs))


def canonical_path(path: str) -> str:
    """Decode the path, encode it once, and end it with a slash."""
    encoded = encode(unquote_to_bytes(path), safe="/")
    return encoded if encoded.endswith("/") else f"{encoded}/"


def payload_hash(call: Call) -> str:
    """Return the last line of the canonical request."""
    announced = call.headers.get("x-sdk-content-sha256")
    if call.body and announced == UNSIGNED_PAYLOAD:
        return UNSIGNED_PAYLOAD
    return hashlib.sha256(call.body).hexdigest()


def canonical_request(call: Call, signed_headers: Sequence[str]) -> bytes:
    """Build the canonical request; header values keep the bytes that were sent."""
    head = f"{call.method.upper()}\n{canonical_path(call.path)}\n{canonical_query(call.query)}\n"
    lines = "".join(f"{name}:{call.headers.get(name, '')}\n" for name in signed_headers)
    tail = f"\n{';'.join(signed_headers)}\n{payload_hash(call)}"
    return head.encode() + lines.encode("latin-1") + tail.encode()


def headers_suffice(call: Call, signed_headers: Sequence[str]) -> bool:
    """Whether all that must be signed is signed, in order, and was sent."""
    needed = {*REQUIRED, *(name for name in SIGNED_IF_SENT if name in call.headers)}
    return (
        needed <= set(signed_headers)
        and list(signed_headers) == sorted(set(signed_headers))
        and all(name in call.headers for name in signed_headers)
    )


def signature_fits(call: Call, credential: Credential, secret_key: str) -> bool:
    """Whether the signature was made with this secret key over this very request."""
    if not headers_suffice(call, credential.signed_headers):
        return False
    announced = call.headers.get("x-sdk-content-sha256", UNSIGNED_PAYLOAD)
    if announced not in (UNSIGNED_PAYLOAD, hashlib.sha256(call.body).hexdigest()):
        return False
    digest = hashlib.sha256(canonical_request(call, credential.signed_headers)).hexdigest()
    message = f"{ALGORITHM}\n{call.headers['x-sdk-date']}\n{digest}"
    expected = hmac.new(secret_key.encode(), message.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, credential.signature)
