"""Signs requests to Partner Center and to OBS, by subclasses of requests-aws4auth's AWS4Auth.

Partner Center's SDK-HMAC-SHA256 is AWS Signature V4 with another name, no key derivation, no
scope line, its own date header, and a canonical path that always ends in `/`. Source:
huaweicloudsdkcore 3.1.219, signer/signer.py; the tests compare its signatures with these.
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
_SIGNED_BODIES = ("application/json", "application/bson")  # content of other types is not signed
_DATE, _TOKEN, _CONTENT = DATE_HEADER.lower(), TOKEN_HEADER.lower(), CONTENT_HEADER.lower()


def canonical_query(parameters: Iterable[tuple[str, str]]) -> str:
    """The query string to sign and to send: sorted pairs, percent-encoded."""
    return "&".join(
        f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(parameters)
    )


def _host_and_path(url: str) -> tuple[str, str]:
    """Host and canonical path of a URL without a query."""
    parts = urlsplit(url)
    return parts.netloc, _canonical_path(parts.path)


def _date(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y%m%dT%H%M%SZ")


def _signed(*names: str) -> tuple[list[str], str]:
    """The names of the headers to sign: sorted, and joined as in the Authorization header."""
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

    The signature covers every header that the request has when it is signed, so that no
    intermediary can change it; headers added later are not covered. The object is immutable, so
    threads share it. (AWS4Auth renews a derived key in place; this class does not use that part.)

    Args:
        access_key: The access key; it is sent in the header.
        secret_key: The secret key; it is never sent.
        security_token: The security token of a temporary key pair.
        now: The wall clock, in seconds. Huawei tolerates a skew of 15 minutes.
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
        # The parent stores a key derived by AWS's scheme; Huawei's scheme has no derived key.
        self.signing_key = None
        self.session_token = security_token
        self._beginning = f"{ALGORITHM} Access={access_key}, SignedHeaders="
        self._keyed = hmac.new(secret_key.encode(), digestmod="sha256")
        self._now = now

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.access_id[:4]}…)"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request in place and return it.

        Args:
            request: The request; its body is bytes or None.
        """
        url, _, query = str(request.url).partition("?")
        headers = request.headers
        values = {name.lower(): value for name, value in headers.items()}
        host, path = _host_and_path(url)
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
        signature = self._keyed.copy()  # the shared object stays unchanged
        signature.update(f"{ALGORITHM}\n{values[_DATE]}\n{digest}".encode())
        headers["Authorization"] = f"{self._beginning}{names}, Signature={signature.hexdigest()}"
        return request


class ObsAuth(AWS4Auth):
    """Signature V4 for OBS, which accepts it only with an unsigned payload (obs_faq_0274).

    The body is therefore not hashed and can be streamed. AWS4Auth changes itself when the date
    changes: create an object for each request.

    Args:
        access_key: The access key; it is sent in the header.
        secret_key: The secret key; it is never sent.
        region: The bucket's region.
    """

    def __init__(self, access_key: str, secret_key: str, region: str) -> None:
        super().__init__(access_key, secret_key, region, "s3")

    def get_canonical_headers(self, req: PreparedRequest, include: Any = None) -> Any:
        """AWS4Auth's hook after the hash of the body: replace the hash by UNSIGNED-PAYLOAD."""
        req.headers["x-amz-content-sha256"] = UNSIGNED
        return super().get_canonical_headers(req, include)
