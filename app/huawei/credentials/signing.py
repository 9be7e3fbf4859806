"""Signs requests to Partner Center and to OBS; both are requests-aws4auth's AWS4Auth, adapted.

Partner Center's SDK-HMAC-SHA256 is AWS Signature V4 with another name, no key derivation, no
scope line, its own date header, and a canonical path that always ends in `/`. Source:
huaweicloudsdkcore 3.1.219, signer/signer.py, whose signatures the tests compare with these.
"""

import hmac
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from requests import PreparedRequest
from requests_aws4auth import AWS4Auth

ALGORITHM = "SDK-HMAC-SHA256"
DATE_HEADER = "X-Sdk-Date"
TOKEN_HEADER = "X-Security-Token"  # noqa: S105 - a header's name
CONTENT_HEADER = "X-Sdk-Content-Sha256"
UNSIGNED = "UNSIGNED-PAYLOAD"

_EMPTY_SHA256 = sha256(b"").hexdigest()
_SIGNED_BODIES = ("application/json", "application/bson")  # of any other the content is not signed
_DATE, _TOKEN, _CONTENT = DATE_HEADER.lower(), TOKEN_HEADER.lower(), CONTENT_HEADER.lower()


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def canonical_query(parameters: Iterable[tuple[str, str]]) -> str:
    """The query string that is both signed and sent: sorted pairs, percent-encoded."""
    return "&".join(
        f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(parameters)
    )


def _place(url: str) -> tuple[str, str]:
    """Host and canonical path of a URL without a query."""
    parts = urlsplit(url)
    return parts.netloc, _canonical_path(parts.path)


def _date(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y%m%dT%H%M%SZ")


def _signed(*names: str) -> tuple[list[str], str]:
    """Those of a request's headers that are signed, in their order, and as they are listed."""
    signed = sorted(name for name in names if "_" not in name)
    return signed, ";".join(signed)


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
        now: The clock, in seconds. Huawei allows it to be 15 minutes off.
    """

    def __init__(
        self,
        access_key: str,
        secret_key: str,
        security_token: str | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(access_key, secret_key, "", "")
        # The parent derives and keeps AWS's own key from the secret; Huawei's scheme needs none.
        self.signing_key = None
        self.session_token = security_token
        self._beginning = f"{ALGORITHM} Access={access_key}, SignedHeaders="
        self._keyed = hmac.new(secret_key.encode(), digestmod="sha256")
        self._now = now

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.access_id[:4]}…)"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request in place and return it; its body must be bytes or None."""
        url, _, query = str(request.url).partition("?")
        headers = request.headers
        values = {name.lower(): value for name, value in headers.items()}
        host, path = _place(url)
        if "host" not in values:
            headers["Host"] = values["host"] = host
        if _DATE not in values:
            headers[DATE_HEADER] = values[_DATE] = _date(int(self._now()))
        if self.session_token:
            headers[TOKEN_HEADER] = values[_TOKEN] = self.session_token
        content_type = values.get("content-type")
        if content_type and not content_type.startswith(_SIGNED_BODIES):
            headers[CONTENT_HEADER] = values[_CONTENT] = UNSIGNED

        signed, names = _signed(*values)
        lines = "".join([f"{name}:{values[name].strip()}\n" for name in signed])
        body: bytes | None = request.body  # type: ignore[assignment]
        payload_hash = values.get(_CONTENT) or sha256(body).hexdigest() if body else _EMPTY_SHA256
        canonical = (
            f"{request.method}\n{path}\n{canonical_query(_parameters(query)) if query else ''}\n"
            f"{lines}\n{names}\n{payload_hash}"
        )
        digest = sha256(canonical.encode()).hexdigest()
        signature = self._keyed.copy()  # never changed itself
        signature.update(f"{ALGORITHM}\n{values[_DATE]}\n{digest}".encode())
        headers["Authorization"] = f"{self._beginning}{names}, Signature={signature.hexdigest()}"
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
