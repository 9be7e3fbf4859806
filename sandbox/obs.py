"""OBS: objects in a bucket, addressed by virtual host or path, with Signature Version 4."""

from __future__ import annotations

import hashlib
from email.utils import formatdate
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import unquote
from xml.sax.saxutils import escape

from .calls import Answer, Call, Refused
from .obs_signature import ALGORITHM, UNSIGNED_PAYLOAD, read_credential, signature_matches
from .settings import REGION
from .signature import TOLERANCE_SECONDS, sign_time
from .state import State, Stored

# The FAQ says that OBS accepts only UNSIGNED-PAYLOAD and the streaming mode. It does not say
# how OBS answers other payload hashes. The sandbox does not imitate the streaming mode.
OTHER_PAYLOAD = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD"

# The domain after the bucket's name in a Host header; it resolves to this machine.
DOMAIN = ".localhost"

MESSAGES = {
    "AccessDenied": (403, "Access Denied"),
    "AuthorizationHeaderMalformed": (400, "The authorization header is malformed"),
    "InvalidAccessKeyId": (403, "The access key id you provided does not exist in our records."),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "NoSuchBucket": (404, "The specified bucket does not exist"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NotImplemented": (501, "This functionality is not implemented."),
    "RequestTimeTooSkewed": (
        403,
        "The difference between the request time and the current time is too large.",
    ),
    "SignatureDoesNotMatch": (
        403,
        "The request signature we calculated does not match the signature you provided.",
    ),
    "VirtualHostDomainRequired": (
        403,
        "Virtual host domain is required while accessing a specific bucket.",
    ),
}


def addressed(state: State, call: Call) -> bool:
    """Whether the call addresses OBS."""
    signed = call.headers.get("authorization", "").startswith(ALGORITHM)
    return signed or _address(state, call).bucket in state.buckets


def serve(state: State, call: Call) -> Answer:
    """Store, return, describe or delete an object.

    Raises:
        Refused: OBS refuses the call.
    """
    _authenticate(state, call)
    bucket, key, in_path = _address(state, call)
    if bucket not in state.buckets:
        raise _refusal(call, "NoSuchBucket")
    if in_path and state.settings.obs_addressing == "virtual-host":
        raise _refusal(call, "VirtualHostDomainRequired")
    if call.query:
        raise _refusal(call, "NotImplemented")
    if not key or call.method not in ("PUT", "GET", "HEAD", "DELETE"):
        raise _refusal(call, "MethodNotAllowed")
    objects = state.buckets[bucket]
    if call.method == "PUT":
        return _store(state, call, objects, key)
    if call.method == "DELETE":
        # Deleting an object that does not exist succeeds too, as in S3.
        objects.pop(key, None)
        return Answer(HTTPStatus.NO_CONTENT)
    stored = objects.get(key)
    if stored is None:
        raise _refusal(call, "NoSuchKey")
    return Answer(HTTPStatus.OK, stored.content, _describe(stored))


class _Address(NamedTuple):
    """The bucket and key that a call addresses, and whether the path names the bucket."""

    bucket: str
    key: str
    in_path: bool


def _address(state: State, call: Call) -> _Address:
    """Return the address of a call. With the setting `path` the host is ignored."""
    path = call.path.removeprefix("/")
    host = call.headers.get("host", "").partition(":")[0].lower()
    if host.endswith(DOMAIN) and state.settings.obs_addressing != "path":
        return _Address(host.removesuffix(DOMAIN), unquote(path), in_path=False)
    bucket, _, key = path.partition("/")
    return _Address(unquote(bucket), unquote(key), in_path=True)


def _store(state: State, call: Call, objects: dict[str, Stored], key: str) -> Answer:
    if "content-length" not in call.headers:
        raise _refusal(call, "MissingContentLength")
    etag = hashlib.md5(call.body, usedforsecurity=False).hexdigest()
    stored = Stored(
        call.body,
        call.headers.get("content-type", "binary/octet-stream"),
        f'"{etag}"',
        state.clock.now(),
    )
    objects[key] = stored
    return Answer(HTTPStatus.OK, headers={"ETag": stored.etag})


def _describe(stored: Stored) -> dict[str, str]:
    return {
        "Content-Type": stored.content_type,
        "Content-Length": str(len(stored.content)),
        "ETag": stored.etag,
        "Last-Modified": formatdate(stored.modified, usegmt=True),
    }


def _authenticate(state: State, call: Call) -> None:
    authorization = call.headers.get("authorization", "")
    if not authorization.startswith(ALGORITHM):
        raise _refusal(call, "AccessDenied")
    credential = read_credential(authorization)
    if credential is None or credential.region != REGION:
        raise _refusal(call, "AuthorizationHeaderMalformed")
    secret_key = state.obs_keys.get(credential.access_key)
    if secret_key is None:
        raise _refusal(call, "InvalidAccessKeyId")
    signed_at = sign_time(call.headers.get("x-amz-date", ""))
    if signed_at is None:
        raise _refusal(call, "AccessDenied")
    if abs(state.clock.now() - signed_at) > TOLERANCE_SECONDS:
        raise _refusal(call, "RequestTimeTooSkewed")
    if call.headers.get("x-amz-content-sha256") != UNSIGNED_PAYLOAD:
        raise _refusal(call, "SignatureDoesNotMatch", OTHER_PAYLOAD)
    if not signature_matches(call, credential, secret_key):
        raise _refusal(call, "SignatureDoesNotMatch")


def _refusal(call: Call, code: str, message: str | None = None) -> Refused:
    status, text = MESSAGES[code]
    body = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message or text)}</Message>"
        f"<RequestId>{call.request_id}</RequestId></Error>"
    )
    return Refused(Answer(status, body.encode(), {"Content-Type": "application/xml"}, code))
