"""An OBS bucket of an account: its objects are streamed and not kept in the gateway.

Sources: the OBS API reference (obs_04_0007 addresses, obs_04_0080 PUT,
obs_04_0085 DELETE) and the OBS FAQ (obs_faq_0274 signature).
"""

from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from app.errors import ErrorCode, GatewayError
from app.huawei.answer import Answer
from app.huawei.credentials.key_files import read_keys
from app.huawei.credentials.signing import ObsAuth
from app.huawei.obs_answers import read, read_object
from app.huawei.pacing.breaker import Breaker, Permit
from app.huawei.pacing.deadline import READ, UPLOAD, Errand
from app.huawei.service import Service
from app.huawei.transport import Download, Reply, Stream
from app.observability.exchange import Observe
from app.settings import AccountSettings, AttachmentSettings

# Partner Center looks for attachments under this prefix. A submission names the rest of the key.
PREFIX = "download"


class Bucket:
    """A bucket of one account.

    Args:
        name: The account's name in the configuration.
        account: The account's settings.
        bucket: The settings of the bucket.
        observe: Receives each exchange.
        purpose: What the bucket is for, in the name of its circuit.
    """

    def __init__(
        self,
        name: str,
        account: AccountSettings,
        bucket: AttachmentSettings,
        observe: Observe,
        purpose: str = "attachments",
    ) -> None:
        self._name = name
        self._settings = bucket
        url, self._folder = _address(bucket)
        self._breaker = Breaker(
            f"{name}.{purpose}",
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
        request = self._signed("PUT", f"{PREFIX}/{path}", {"Content-Type": content_type})
        request.headers["Content-Length"] = str(length)
        errand = Errand.within(within, self._name)
        self._send("store_attachment", request, path, errand, Timely(content, errand))

    def delete(self, path: str, within: float = READ) -> None:
        """Delete an attachment. It succeeds too if there is none (obs_04_0085).

        Args:
            path: The attachment's path below the prefix, in characters that need no encoding.
            within: Seconds until the deadline.

        Raises:
            GatewayError: The failure that OBS answered; UPSTREAM_UNREACHABLE; DEADLINE_EXCEEDED.
        """
        errand = Errand.within(within, self._name)
        self._send(
            "delete_attachment", self._signed("DELETE", f"{PREFIX}/{path}", {}), path, errand, None
        )

    def open(self, key: str, errand: Errand, longest: float) -> Download | None:
        """Open an object, to be read in pieces.

        Args:
            key: The object's key, in characters that need no encoding.
            errand: The caller and the deadline of the first byte.
            longest: Seconds until the deadline of the whole object.

        Returns:
            The object, which must be closed; None if there is none.

        Raises:
            GatewayError: The failure that OBS answered; UPSTREAM_UNREACHABLE; DEADLINE_EXCEEDED.
        """
        request = self._signed("GET", key, {})

        def ask(permit: Permit) -> Answer:
            return self._service.send(
                "read_object", request, read_object, errand=errand, permit=permit, longest=longest
            )

        answer = self._breaker.call(write=False, probe=_no_probe, work=ask)
        if answer.failure is not None:
            raise answer.failure
        return answer.fields.get("object")

    def _signed(self, method: str, key: str, headers: Mapping[str, str]) -> PreparedRequest:
        request = PreparedRequest()
        request.method = method
        request.url = f"{self._service.url}{self._folder}/{key}"
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


class Timely:
    """The content of an upload, which must arrive before the deadline.

    Args:
        content: The caller's bytes.
        errand: The deadline.
    """

    def __init__(self, content: Stream, errand: Errand) -> None:
        self._content = content
        self._errand = errand

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes.

        Raises:
            GatewayError: BAD_REQUEST if the upload breaks off; DEADLINE_EXCEEDED.
        """
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


def _address(bucket: AttachmentSettings) -> tuple[str, str]:
    """The URL of the bucket's host, and the path of the bucket."""
    if bucket.addressing == "path":
        return bucket.endpoint, f"/{bucket.bucket}"
    url = urlsplit(bucket.endpoint)
    return f"{url.scheme}://{bucket.bucket}.{url.netloc}", ""


# Success of an upload is 200 (obs_faq_120530, and obs_04_0080: "no elements"), of a deletion 204
# (obs_04_0085).
_readers: Mapping[str, Callable[[Reply], Answer]] = {
    "store_attachment": partial(read, success=200),
    "delete_attachment": partial(read, success=204),
}
