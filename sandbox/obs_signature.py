"""Verifies AWS Signature Version 4 as OBS does: by the raw request line, payload unsigned.

Source: OBS FAQ obs_faq_0274.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from .calls import Call
from .signature import canonical_query, encode

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
REQUIRED = ("host", "x-amz-content-sha256", "x-amz-date")

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<access_key>[^/,\s]+)/(?P<day>\d{{8}})/(?P<region>[^/,\s]+)"
    r"/s3/aws4_request, ?SignedHeaders=(?P<headers>[a-z0-9-]+(?:;[a-z0-9-]+)*),"
    r" ?Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Credential:
    """The parts of the Authorization header."""

    access_key: str
    day: str
    region: str
    signed_headers: tuple[str, ...]
    signature: str


def read_credential(authorization: str) -> Credential | None:
    """Return the parts of the Authorization header; None if it is malformed."""
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None:
        return None
    headers = tuple(match["headers"].split(";"))
    return Credential(
        match["access_key"], match["day"], match["region"], headers, match["signature"]
    )


def required_headers_are_signed(call: Call, credential: Credential) -> bool:
    """Whether the signed headers were sent, are sorted, and cover all that must be signed.

    These are `host`, `content-type` if it was sent, and every `x-amz-` header.
    """
    signed = credential.signed_headers
    needed = {*REQUIRED, *(name for name in call.headers if name.startswith("x-amz-"))}
    if "content-type" in call.headers:
        needed.add("content-type")
    return (
        needed <= set(signed)
        and list(signed) == sorted(set(signed))
        and all(name in call.headers for name in signed)
    )


def canonical_request(call: Call, credential: Credential) -> bytes:
    """Return the canonical request. The path is encoded once, as in S3."""
    path = encode(unquote_to_bytes(call.path), safe="/")
    lines = "".join(
        f"{name}:{' '.join(call.headers[name].split())}\n" for name in credential.signed_headers
    )
    head = f"{call.method}\n{path}\n{canonical_query(call.query)}\n"
    tail = f"\n{';'.join(credential.signed_headers)}\n{UNSIGNED_PAYLOAD}"
    return head.encode() + lines.encode("latin-1") + tail.encode()


def signature_matches(call: Call, credential: Credential, secret_key: str) -> bool:
    """Whether the signature is correct for this request and secret key."""
    date = call.headers["x-amz-date"]
    if not required_headers_are_signed(call, credential) or not date.startswith(credential.day):
        return False
    scope = f"{credential.day}/{credential.region}/s3/aws4_request"
    digest = hashlib.sha256(canonical_request(call, credential)).hexdigest()
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    message = f"{ALGORITHM}\n{date}\n{scope}\n{digest}".encode()
    expected = hmac.new(key, message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, credential.signature)
