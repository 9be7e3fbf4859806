"""Sends an operation to Partner Center and classifies what comes back.

Three failures are never mixed: not reached (nothing was sent), unreadable (something answered,
but not properly), refused (a proper answer with an error code).
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from app.errors import ErrorCode, GatewayError, Upstream
from app.partner_center import codes
from app.partner_center.connection import NOT_SENT, open_pool
from app.partner_center.credentials import Credentials
from app.partner_center.exchange import Exchange
from app.partner_center.operation import Operation
from app.partner_center.signing import canonical_query
from app.settings import AccountSettings

MAX_ANSWER = 1024 * 1024  # bytes; the longest documented answer has a few KiB
USER_AGENT = "partner-gateway"
THROTTLE_PAUSE = 3.0  # seconds; Huawei's text on APIGW.0308 advises 2 to 5
LOCK_PAUSE = 300.0  # seconds; Huawei locks an access key for five minutes

_REQUEST_ID = re.compile(r"\A[A-Za-z0-9._-]{1,64}\Z")


class PartnerCenter:
    """Partner Center as one account sees it.

    Args:
        name: The account's name in the configuration.
        account: Its settings.
        credentials: Signs its requests.
        observe: Is told of each exchange.
    """

    def __init__(
        self,
        name: str,
        account: AccountSettings,
        credentials: Credentials,
        observe: Callable[[Exchange], None],
    ) -> None:
        self._name = name
        self._account = account
        self._credentials = credentials
        self._observe = observe
        self._pool = open_pool(account.endpoint, account.ca_file, account.proxy)
        self._timeout = urllib3.Timeout(
            connect=account.timeouts.connect, read=account.timeouts.read
        )

    def call(
        self,
        operation: Operation,
        *,
        query: Iterable[tuple[str, str]] = (),
        body: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """Send an operation and return the body of its successful answer.

        Raises:
            GatewayError: the catalogue's entry for whatever went wrong.
        """
        request = self._prepare(operation, query, body)
        self._credentials.signer()(request)
        # Not signed: something on the way may add to them.
        request.headers["User-Agent"] = USER_AGENT
        request.headers["Accept"] = "application/json"

        begun = time.monotonic()
        upstream = Upstream()
        outcome = "OK"
        try:
            answer = self._send(operation, request)
            upstream = answer.upstream()
            return _judge(operation, answer, upstream)
        except GatewayError as error:
            outcome = error.code.name
            raise
        finally:
            self._observe(Exchange.since(begun, self._name, operation.name, upstream, outcome))

    def _prepare(
        self,
        operation: Operation,
        query: Iterable[tuple[str, str]],
        body: Mapping[str, Any] | None,
    ) -> PreparedRequest:
        path = operation.path.format(partner_id=self._account.partner_id)
        parameters = canonical_query(query)
        request = PreparedRequest()
        request.method = operation.method
        request.url = f"{self._account.endpoint}{path}" + (f"?{parameters}" if parameters else "")
        request.headers = CaseInsensitiveDict()
        if body is not None:
            request.headers["Content-Type"] = "application/json"
            request.body = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return request

    def _send(self, operation: Operation, request: PreparedRequest) -> "_Answer":
        """One try. Raises UPSTREAM_UNREACHABLE where nothing was sent."""
        url = str(request.url)
        response = None
        try:
            response = self._pool.urlopen(
                operation.method,
                url.removeprefix(self._account.endpoint),
                body=request.body,
                headers=dict(request.headers),
                timeout=self._timeout,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            content = self._read(response)
        except NOT_SENT:
            raise GatewayError(ErrorCode.UPSTREAM_UNREACHABLE, write=operation.writes) from None
        except (HTTPError, TimeoutError):
            # `from None`: the library's text can hold the path, the host and parts of the answer.
            code = ErrorCode.OUTCOME_UNKNOWN if operation.writes else ErrorCode.UPSTREAM_ERROR
            raise GatewayError(code, write=operation.writes) from None
        return _Answer(response.status, response.headers, _json_object(content))

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes | None:
        """The whole content, or None where it is too long to be an answer of Partner Center's.

        A socket's timeout is per read, so a dripping answer needs a clock of its own.
        """
        ends = time.monotonic() + self._account.timeouts.read
        content = bytearray()
        try:
            while chunk := response.read1(65536):
                content += chunk
                if len(content) > MAX_ANSWER:
                    response.close()
                    return None
                if time.monotonic() > ends:
                    response.close()
                    raise TimeoutError
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return bytes(content)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any] | None
    """The JSON object; None where the content is anything else."""

    def upstream(self) -> Upstream:
        body = self.body or {}
        request_id = self.headers.get("X-Request-Id") or body.get("request_id")
        if not (isinstance(request_id, str) and _REQUEST_ID.match(request_id)):
            request_id = None
        return Upstream(codes.error_code(body), self.status, request_id)


def _json_object(content: bytes | None) -> Mapping[str, Any] | None:
    try:
        body = json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _judge(operation: Operation, answer: _Answer, upstream: Upstream) -> Mapping[str, Any]:
    """The body of a success: HTTP 2xx and either no error code or CBC.0000."""
    body, status = answer.body, answer.status
    refused = upstream.code if upstream.code != codes.SUCCESS else None
    if body is not None and not refused and 200 <= status < 300:
        return body
    if body is not None and refused:
        code = codes.meaning(operation, refused, status, body)
    else:
        code = codes.meaning_without_code(operation, status, readable=body is not None)
    raise GatewayError(
        code,
        upstream=upstream,
        retry_after=_pause(code, answer.headers),
        write=operation.writes,
    )


def _pause(code: ErrorCode, headers: Mapping[str, str]) -> float | None:
    if code is ErrorCode.ACCESS_KEY_LOCKED:
        return LOCK_PAUSE
    if code is not ErrorCode.UPSTREAM_THROTTLED:
        return None
    text = headers.get("Retry-After", "")
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() else THROTTLE_PAUSE
