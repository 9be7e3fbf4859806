"""Signs requests to Partner Center and to OBS; both are requests-aws4auth's AWS4Auth, adapted.

Partner Center's SDK-HMAC-SHA256 is AWS Signature V4 with another name, no key derivation, no
scope line, its own date header, and a canonical path that always ends in `/`. Source:
huaweicloudsdkcore 3.1.219, signer/signer.py, whose signatures the tests compare with these.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest as hmac_digest
from typing import Any, cast
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from requests import PreparedRequest
from requests_aws4auth import AWS4Auth

ALGORITHM = "SDK-HMAC-SHA256"
DATE_HEADER = "X-Sdk-Date"
TOKEN_HEADER = "X-Security-Token"  # noqa: S105 - a header's name
CONTENT_HEADER = "X-Sdk-Content-Sha256"
UNSIGNED = "UNSIGNED-PAYLOAD"

_EMPTY_SHA256 = sha256(b"").hexdigest()


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def canonical_query(parameters: Iterable[tuple[str, str]]) -> str:
    """The query string that is both signed and sent: sorted pairs, percent-encoded."""
    return "&".join(
        f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(parameters)
    )


def _canonical_path(path: str) -> str:
    encoded = "/".join(quote(segment, safe="~") for segment in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def _parameters(query: str) -> list[tuple[str, str]]:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs]


class SdkHmacAuth(AWS4Auth):
    """Adds `X-Sdk-Date` and `Authorization` to a request.

    Every header that the request has when it is signed is part of the signature, so that no one
    on the way can change it; a header added later is not. Nothing changes in this object after
    its construction, so threads share it (AWS4Auth itself renews a derived key in place, and the
    parts of it that do so are not used).

    Args:
        access_key: The access key, which is sent.
        secret_key: The secret key, which is not.
        security_token: Belongs to a temporary key pair.
        now: The clock. Huawei allows it to be 15 minutes off.
    """

    def __init__(
        self,
        access_key: str,
        secret_key: str,
        security_token: str | None = None,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(access_key, secret_key, "", "")
        # The parent derives and keeps AWS's own key from the secret; Huawei's scheme needs none.
        self.signing_key = None
        self.session_token = security_token
        self._key = secret_key.encode()
        self._now = now

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.access_id[:4]}…)"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request in place and return it; its body must be bytes or None."""
        headers = request.headers
        parts = urlsplit(str(request.url))
        if "Host" not in headers:
            headers["Host"] = parts.netloc
        if DATE_HEADER not in headers:
            headers[DATE_HEADER] = self._now().strftime("%Y%m%dT%H%M%SZ")
        if self.session_token:
            headers[TOKEN_HEADER] = self.session_token
        content_type = headers.get("Content-Type", "")
        if content_type and not content_type.startswith(("application/json", "application/bson")):
            headers[CONTENT_HEADER] = UNSIGNED

        signed = sorted((name.lower(), name) for name in headers if "_" not in name)
        names = ";".join(lower for lower, _ in signed)
        lines = "".join(f"{lower}:{headers[name].strip()}\n" for lower, name in signed)
        body = cast(bytes, request.body or b"")
        payload_hash = (
            headers.get(CONTENT_HEADER) or sha256(body).hexdigest() if body else _EMPTY_SHA256
        )
        canonical = "\n".join(
            (
                str(request.method),
                _canonical_path(parts.path),
                canonical_query(_parameters(parts.query)),
                lines,
                names,
                payload_hash,
            )
        )
        to_sign = f"{ALGORITHM}\n{headers[DATE_HEADER]}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac_digest(self._key, to_sign.encode(), "sha256").hex()
        headers["Authorization"] = (
            f"{ALGORITHM} Access={self.access_id}, SignedHeaders={names}, Signature={signature}"
        )
        return request


class ObsAuth(AWS4Auth):
    """Signature V4 for OBS, which takes it with an unsigned payload only (obs_faq_0274).

    So the body is never hashed and can be streamed. AWS4Auth changes itself when the date
    changes: make one for each request.
    """

    def __init__(self, access_key: str, secret_key: str, region: str) -> None:
        super().__init__(access_key, secret_key, region, "s3")

    def get_canonical_headers(self, req: PreparedRequest, include: Any = None) -> Any:
        """AWS4Auth's hook that follows the hash of the body: put our word in its place."""
        req.headers["x-amz-content-sha256"] = UNSIGNED
        return super().get_canonical_headers(req, include)
