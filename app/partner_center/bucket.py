"""The OBS bucket of an account: stores attachments, streamed and never kept.

Source: the OBS FAQ obs_faq_0274 and the S3 convention on errors.
"""

import re
import time
from collections.abc import Callable, Mapping

from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from app.errors import ErrorCode, GatewayError, Upstream
from app.partner_center.answer import pause, request_id
from app.partner_center.breaker import Breaker
from app.partner_center.codes import STATUSES
from app.partner_center.deadline import UPLOAD, Errand
from app.partner_center.exchange import Exchange
from app.partner_center.key_pair import read_keys
from app.partner_center.signing import ObsAuth
from app.partner_center.transport import USER_AGENT, Endpoint, Reply, Stream
from app.settings import AccountSettings, AttachmentSettings

# Partner Center looks for attachments under this prefix, and is told the rest of the key.
PREFIX = "download"

CODES: Mapping[str, ErrorCode] = {
    "AccessDenied": ErrorCode.UPSTREAM_ACCESS_DENIED,
    "AuthorizationHeaderMalformed": ErrorCode.UPSTREAM_ACCESS_DENIED,  # wrong region, as a rule
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
        self._endpoint = Endpoint(attachments.endpoint, account, name=name)
        self._breaker = Breaker(
            f"{name}.attachments",
            account.reliability.breaker_failures,
            account.reliability.breaker_pause,
        )

    def store(
        self, path: str, content_type: str, length: int, content: Stream, within: float = UPLOAD
    ) -> None:
        """Store an attachment; storing it again replaces it.

        Args:
            path: Its place below the prefix, of characters that need no encoding.
            content_type: Its media type.
            length: Its length in bytes.
            content: Read in small pieces while it is sent.
            within: Seconds that it may take.

        Raises:
            GatewayError: what OBS answered, or that it could not be reached; DEADLINE_EXCEEDED
                if the content was not sent in time. `content` may raise one too; OBS then
                stores nothing.
        """
        request = PreparedRequest()
        request.method = "PUT"
        target = f"/{self._settings.bucket}/{PREFIX}/{path}"
        request.url = f"{self._endpoint.url}{target}"
        request.headers = CaseInsensitiveDict({"Content-Type": content_type})
        self._signer()(request)
        request.headers["Content-Length"] = str(length)
        request.headers["User-Agent"] = USER_AGENT

        errand = Errand.within(within, self._name)

        def put() -> Upstream:
            headers, body = request.headers, _Timely(content, errand)
            found = _read(
                self._endpoint.send("PUT", target, headers, body, writes=False, within=within)
            )
            _judge(found)
            return found

        begun = time.monotonic()
        upstream, outcome = Upstream(), "ABORTED"
        try:
            # Storing the same again does no harm, so this is a read as far as repeating goes, and
            # an upload may find out itself whether OBS is back.
            upstream = self._breaker.call(write=False, probe=_nothing, work=put)
            outcome = "OK"
        except GatewayError as error:
            upstream, outcome = error.upstream or upstream, error.code.name
            raise
        finally:
            self._observe(
                Exchange.since(
                    begun, self._name, "store_attachment", upstream, outcome, writes=True
                )
            )

    def _signer(self) -> ObsAuth:
        try:
            return ObsAuth(*read_keys(self._settings), self._settings.region)
        except (OSError, ValueError):
            raise GatewayError(
                ErrorCode.UPSTREAM_ACCESS_DENIED,
                "The key pair of this account's bucket cannot be read from its files.",
                write=False,
            ) from None


class _Timely:
    """The content of an upload, which has to come and to be taken within its time."""

    def __init__(self, content: Stream, errand: Errand) -> None:
        self._content = content
        self._errand = errand

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        piece = self._content.read(size)
        if piece and self._errand.left <= 0:
            raise GatewayError(
                ErrorCode.DEADLINE_EXCEEDED,
                "The upload took too long and was given up: nothing was stored.",
                write=False,
            )
        return piece


def _nothing() -> None:
    """No probe: only writes send one first."""


def _read(reply: Reply) -> Upstream:
    code = _CODE.search(reply.content or b"") if reply.status >= 300 else None
    return Upstream(
        code[1].decode() if code else None,
        reply.status,
        request_id(reply.headers.get("x-amz-request-id")),
    )


def _judge(upstream: Upstream) -> None:
    if upstream.status is not None and 200 <= upstream.status < 300:
        return
    if upstream.code is None:
        code = STATUSES.get(upstream.status or 0, ErrorCode.UPSTREAM_MALFORMED)
    else:
        code = CODES.get(upstream.code, ErrorCode.UPSTREAM_UNMAPPED)
    raise GatewayError(code, upstream=upstream, retry_after=pause(code, {}), write=False)
