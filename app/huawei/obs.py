"""The OBS bucket of an account: attachments are streamed to it and not kept in the gateway.

Sources: the OBS API reference (obs_04_0007 addresses, obs_04_0080 PUT, obs_04_0085 DELETE,
obs_04_0115 error codes)
and the OBS FAQ (obs_faq_0274 signature, obs_faq_120530 success).
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from app.errors import ErrorCode, GatewayError, Upstream
from app.huawei.answer import Answer, request_id
from app.huawei.codes import STATUSES
from app.huawei.credentials.key_files import read_keys
from app.huawei.credentials.signing import ObsAuth
from app.huawei.pacing.breaker import Breaker, Permit
from app.huawei.pacing.deadline import READ, UPLOAD, Errand
from app.huawei.pacing.pause import pause
from app.huawei.service import Service
from app.huawei.transport import Reply, Stream
from app.observability.exchange import Observe
from app.settings import AccountSettings, AttachmentSettings

# Partner Center looks for attachments under this prefix. A submission names the rest of the key.
PREFIX = "download"

# The codes that an upload can get, from the table in obs_04_0115. AccountProblem and FrozenUserId
# are printed in the SDKs' tables only (obs_28_1601), VirtualHostDomainRequired in
# obs_errorcode_0014. AuthorizationHeaderMalformed is S3's.
CODES: Mapping[str, ErrorCode] = {
    # The key
    "AccessDenied": ErrorCode.UPSTREAM_ACCESS_DENIED,
    "AuthorizationHeaderMalformed": ErrorCode.UPSTREAM_ACCESS_DENIED,  # usually a wrong region
    "InvalidAccessKeyId": ErrorCode.UPSTREAM_ACCESS_DENIED,
    "RequestTimeTooSkewed": ErrorCode.CLOCK_SKEWED,
    "SignatureDoesNotMatch": ErrorCode.UPSTREAM_ACCESS_DENIED,
    "TooManyWrongSignature": ErrorCode.UPSTREAM_ACCESS_DENIED,  # blocked; needs another key
    # The account that owns the bucket
    "AccountProblem": ErrorCode.PARTNER_NOT_ENABLED,  # expired or frozen
    "DeregisterUserId": ErrorCode.PARTNER_NOT_ENABLED,
    "FrozenUserId": ErrorCode.PARTNER_NOT_ENABLED,
    "InArrearOrInsufficientBalance": ErrorCode.PARTNER_NOT_ENABLED,  # obs_errorcode_0007
    "NotSignedUp": ErrorCode.PARTNER_NOT_ENABLED,  # not registered with OBS
    "Unauthorized": ErrorCode.PARTNER_NOT_ENABLED,  # the account lacks real-name authentication
    # The bucket, or how the configuration names it
    "AllAccessDisabled": ErrorCode.PARTNER_NOT_ENABLED,  # the bucket's name is forbidden
    "BadDomainName": ErrorCode.PARTNER_NOT_ENABLED,
    "InsufficientStorageSpace": ErrorCode.PARTNER_NOT_ENABLED,  # the bucket's quota is used up
    "InvalidBucket": ErrorCode.PARTNER_NOT_ENABLED,
    "InvalidBucketName": ErrorCode.PARTNER_NOT_ENABLED,
    "KMS.DisabledException": ErrorCode.PARTNER_NOT_ENABLED,  # the bucket's encryption key
    "KMS.NotFoundException": ErrorCode.PARTNER_NOT_ENABLED,
    "NoSuchBucket": ErrorCode.PARTNER_NOT_ENABLED,
    "PermanentRedirect": ErrorCode.PARTNER_NOT_ENABLED,  # served at another endpoint only
    "RequestPayerDenied": ErrorCode.PARTNER_NOT_ENABLED,  # the bucket lets requesters pay
    "VirtualHostDomainRequired": ErrorCode.PARTNER_NOT_ENABLED,  # refuses `path`
    # Temporary failures
    "IncompleteBody": ErrorCode.UPSTREAM_ERROR,  # the network
    "InternalError": ErrorCode.UPSTREAM_ERROR,
    "OperationAborted": ErrorCode.UPSTREAM_ERROR,  # another request for the same object
    "RequestTimeout": ErrorCode.UPSTREAM_ERROR,  # OBS waited too long for content
    "ServiceUnavailable": ErrorCode.UPSTREAM_THROTTLED,
    "SlowDown": ErrorCode.UPSTREAM_THROTTLED,
    "TemporaryRedirect": ErrorCode.UPSTREAM_ERROR,  # until DNS resolves the bucket
    "TooManyRequests": ErrorCode.UPSTREAM_THROTTLED,
    # The content
    "EntityTooLarge": ErrorCode.PAYLOAD_TOO_LARGE,
}
_CODE = re.compile(rb"<Code>([A-Za-z.]{1,64})</Code>")


class Bucket:
    """The bucket of one account.

    Args:
        name: The account's name in the configuration.
        account: The account's settings.
        attachments: The settings of the account's bucket.
        observe: Receives each exchange.
    """

    def __init__(
        self,
        name: str,
        account: AccountSettings,
        attachments: AttachmentSettings,
        observe: Observe,
    ) -> None:
        self._name = name
        self._settings = attachments
        url, self._folder = _address(attachments)
        self._breaker = Breaker(
            f"{name}.attachments",
            account.reliability.breaker_failures,
            account.reliability.breaker_pause,
        )
        self._service = Service(name, url, account, observe, self._breaker)

    def store(
        self, path: str, content_type: str, length: int, content: Stream, within: float = UPLOAD
    ) -> None:
        """Store an attachment; storing it again replaces it.

        Args:
            path: The attachment's path below the prefix, in characters that need no encoding.
            content_type: The media type.
            length: The length in bytes.
            content: Read in small pieces while it is sent.
            within: Seconds until the deadline.

        Raises:
            GatewayError: The failure that OBS answered; UPSTREAM_UNREACHABLE; DEADLINE_EXCEEDED
                if the content was not sent in time. An error that `content` raises is passed
                on, and OBS then stores nothing.
        """
        request = self._signed("PUT", path, {"Content-Type": content_type})
        request.headers["Content-Length"] = str(length)
        errand = Errand.within(within, self._name)
        self._send("store_attachment", request, path, errand, _Timely(content, errand))

    def delete(self, path: str, within: float = READ) -> None:
        """Delete an attachment. It succeeds too if there is none (obs_04_0085).

        Args:
            path: The attachment's path below the prefix, in characters that need no encoding.
            within: Seconds until the deadline.

        Raises:
            GatewayError: The failure that OBS answered; UPSTREAM_UNREACHABLE; DEADLINE_EXCEEDED.
        """
        errand = Errand.within(within, self._name)
        self._send("delete_attachment", self._signed("DELETE", path, {}), path, errand, None)

    def _signed(self, method: str, path: str, headers: Mapping[str, str]) -> PreparedRequest:
        request = PreparedRequest()
        request.method = method
        request.url = f"{self._service.url}{self._folder}/{path}"
        request.headers = CaseInsensitiveDict(headers)
        self._signer()(request)
        return request

    def _send(
        self,
        operation: str,
        request: PreparedRequest,
        path: str,
        errand: Errand,
        body: Stream | None,
    ) -> None:
        def send(permit: Permit) -> Answer:
            return self._service.send(
                operation,
                request,
                _readers[operation],
                errand=errand,
                changes=True,
                body=body,
                permit=permit,
                customer=path.partition("/")[0],
            )

        # Both calls may be repeated, so the circuit treats them as reads: one may be the trial.
        answer = self._breaker.call(write=False, probe=_no_probe, work=send)
        if answer.failure is not None:
            raise answer.failure

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
    """The content of an upload. Reading fails after the deadline."""

    def __init__(self, content: Stream, errand: Errand) -> None:
        self._content = content
        self._errand = errand

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        try:
            piece = self._content.read(size)
        except OSError:  # an error of the caller's connection, not of the connection to OBS
            raise GatewayError(
                ErrorCode.BAD_REQUEST, "The upload ended early.", write=False
            ) from None
        if piece and self._errand.left <= 0:
            raise GatewayError(
                ErrorCode.DEADLINE_EXCEEDED,
                "The upload took too long. Nothing was stored.",
                write=False,
            )
        return piece


def _no_probe(_: Permit) -> None:
    """Stands in for the probe, which only writes send."""


def _address(attachments: AttachmentSettings) -> tuple[str, str]:
    """The URL of the bucket's host, and the path of the attachments' folder."""
    if attachments.addressing == "path":
        return attachments.endpoint, f"/{attachments.bucket}/{PREFIX}"
    url = urlsplit(attachments.endpoint)
    return f"{url.scheme}://{attachments.bucket}.{url.netloc}", f"/{PREFIX}"


def _read(reply: Reply, success: int) -> Answer:
    """Read the answer of OBS.

    Success is one status with an empty body. Any other 2xx, and a page that a proxy answers, is
    unreadable.
    """
    found = _CODE.search(reply.content or b"") if reply.status >= 300 else None
    upstream = Upstream(
        found[1].decode() if found else None,
        reply.status,
        request_id(reply.headers.get("x-amz-request-id")),
    )
    if reply.status == success and not reply.content:
        return Answer(upstream)
    if upstream.code is None:
        code = STATUSES.get(reply.status, ErrorCode.UPSTREAM_MALFORMED)
    else:
        code = CODES.get(upstream.code, ErrorCode.UPSTREAM_UNMAPPED)
    paused = pause(code, reply.headers)
    failure = GatewayError(code, upstream=upstream, retry_after=paused, write=False)
    return Answer(upstream, failure=failure)


# Success of an upload is 200 (obs_faq_120530, and obs_04_0080: "no elements"), of a deletion 204
# (obs_04_0085).
_readers: Mapping[str, Callable[[Reply], Answer]] = {
    "store_attachment": partial(_read, success=200),
    "delete_attachment": partial(_read, success=204),
}
