"""The OBS bucket of an account: stores attachments, streamed and never kept.

Source: the OBS FAQ obs_faq_0274 and the S3 convention on errors.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import urllib3
from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from app.errors import ErrorCode, GatewayError, Upstream
from app.partner_center.connection import NOT_SENT, open_pool
from app.partner_center.credentials import read_pair
from app.partner_center.exchange import Exchange
from app.partner_center.signing import ObsAuth
from app.settings import AccountSettings, AttachmentSettings

# Partner Center looks for attachments under this prefix, and is told the rest of the key.
PREFIX = "download"
MAX_ERROR = 64 * 1024  # bytes of an error document that are looked at

CODES: Mapping[str, ErrorCode] = {
    "AccessDenied": ErrorCode.UPSTREAM_ACCESS_DENIED,
    "EntityTooLarge": ErrorCode.PAYLOAD_TOO_LARGE,
    "InternalError": ErrorCode.UPSTREAM_ERROR,
    "InvalidAccessKeyId": ErrorCode.UPSTREAM_ACCESS_DENIED,
    "NoSuchBucket": ErrorCode.PARTNER_NOT_ENABLED,
    "RequestTimeTooSkewed": ErrorCode.CLOCK_SKEWED,
    "ServiceUnavailable": ErrorCode.UPSTREAM_THROTTLED,
    "SignatureDoesNotMatch": ErrorCode.UPSTREAM_ACCESS_DENIED,
    "SlowDown": ErrorCode.UPSTREAM_THROTTLED,
}
_CODE = re.compile(rb"<Code>([A-Za-z]{1,64})</Code>")
_REQUEST_ID = re.compile(r"\A[A-Za-z0-9._-]{1,64}\Z")


class Stream(Protocol):
    """Something to read from."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at its end."""


class Bucket:
    """The bucket of one account.

    Args:
        name: The account's name in the configuration.
        account: Its settings.
        attachments: Its settings of the bucket.
        observe: Is told of each exchange.
    """

    def __init__(
        self,
        name: str,
        account: AccountSettings,
        attachments: AttachmentSettings,
        observe: Callable[[Exchange], None],
    ) -> None:
        self._name = name
        self._settings = attachments
        self._observe = observe
        self._timeout = urllib3.Timeout(
            connect=account.timeouts.connect, read=account.timeouts.read
        )
        self._pool = open_pool(attachments.endpoint, account.ca_file, account.proxy)

    def store(self, path: str, content_type: str, length: int, content: Stream) -> None:
        """Store an attachment; storing it again replaces it.

        Args:
            path: Its place below the prefix, of characters that need no encoding.
            content_type: Its media type.
            length: Its length in bytes.
            content: Read in small pieces while it is sent.

        Raises:
            GatewayError: what OBS answered, or that it could not be reached. `content` may
                raise one too; OBS then stores nothing.
        """
        request = PreparedRequest()
        request.method = "PUT"
        target = f"/{self._settings.bucket}/{PREFIX}/{path}"
        request.url = f"{self._settings.endpoint}{target}"
        request.headers = CaseInsensitiveDict({"Content-Type": content_type})
        self._signer()(request)
        request.headers["Content-Length"] = str(length)

        begun = time.monotonic()
        upstream, outcome = Upstream(), "OK"
        try:
            upstream = self._send(target, dict(request.headers), content)
            _judge(upstream)
        except GatewayError as error:
            outcome = error.code.name
            raise
        finally:
            self._observe(Exchange.since(begun, self._name, "store_attachment", upstream, outcome))

    def _signer(self) -> ObsAuth:
        try:
            return ObsAuth(*read_pair(self._settings), self._settings.region)
        except (OSError, ValueError):
            raise GatewayError(
                ErrorCode.UPSTREAM_ACCESS_DENIED,
                "The key pair of this account's bucket cannot be read from its files.",
                write=False,
            ) from None

    def _send(self, target: str, headers: dict[str, str], content: Stream) -> Upstream:
        try:
            response = self._pool.urlopen(
                "PUT",
                target,
                body=content,  # type: ignore[arg-type]  # urllib3 takes what has read()
                headers=headers,
                timeout=self._timeout,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            document = response.read(MAX_ERROR)
            response.release_conn()
        except NOT_SENT:
            raise GatewayError(ErrorCode.UPSTREAM_UNREACHABLE, write=False) from None
        except (HTTPError, TimeoutError):
            # Storing the same again does no harm, so the advice is that of a read.
            raise GatewayError(ErrorCode.UPSTREAM_ERROR, write=False) from None
        code = _CODE.search(document) if response.status >= 300 else None
        request_id = response.headers.get("x-amz-request-id", "")
        return Upstream(
            code[1].decode() if code else None,
            response.status,
            request_id if _REQUEST_ID.match(request_id) else None,
        )


def _judge(upstream: Upstream) -> None:
    if upstream.status is not None and 200 <= upstream.status < 300:
        return
    if upstream.code is None:
        code = ErrorCode.UPSTREAM_MALFORMED
    else:
        code = CODES.get(upstream.code, ErrorCode.UPSTREAM_UNMAPPED)
    pause = 3.0 if code is ErrorCode.UPSTREAM_THROTTLED else None
    raise GatewayError(code, upstream=upstream, retry_after=pause, write=False)
