"""What came back from Partner Center, and what it means."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import ErrorCode, GatewayError, Upstream
from app.partner_center import codes
from app.partner_center.operation import Operation
from app.partner_center.transport import Reply

THROTTLE_PAUSE = 3.0  # seconds; Huawei's text on APIGW.0308 advises 2 to 5
LOCK_PAUSE = 300.0  # seconds; Huawei locks an access key for five minutes
LONGEST_PAUSE = 3600.0  # seconds, whatever upstream asks for

_HONOURED = frozenset(
    {ErrorCode.UPSTREAM_THROTTLED, ErrorCode.UPSTREAM_ERROR, ErrorCode.UPSTREAM_MALFORMED}
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id(text: Any) -> str | None:
    """An upstream request id, if it looks like one: it is logged and answered."""
    return text if isinstance(text, str) and _REQUEST_ID.fullmatch(text) else None


def json_object(content: bytes | None) -> Mapping[str, Any] | None:
    """The JSON object that the content is; None if it is anything else."""
    try:
        body = json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def pause(code: ErrorCode, headers: Mapping[str, str]) -> float | None:
    """Seconds after which a repeat makes sense; None where the entry does not ask for a pause."""
    if code is ErrorCode.ACCESS_KEY_LOCKED:
        return LOCK_PAUSE
    text = headers.get("retry-after", "")
    if text.isascii() and text.isdigit() and code in _HONOURED:
        return min(float(text), LONGEST_PAUSE)
    return THROTTLE_PAUSE if code is ErrorCode.UPSTREAM_THROTTLED else None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to an operation. `body` is None where the content is not a JSON object."""

    operation: Operation
    reply: Reply
    body: Mapping[str, Any] | None
    upstream: Upstream

    @classmethod
    def of(cls, operation: Operation, reply: Reply) -> "Answer":
        """Read a reply."""
        body = json_object(reply.content)
        found = body or {}
        asked = reply.headers.get("x-request-id") or found.get("request_id")
        upstream = Upstream(codes.error_code(found, reply.status), reply.status, request_id(asked))
        return cls(operation, reply, body, upstream)

    @property
    def verdict(self) -> codes.Verdict:
        """What it says of the credential that the request carried."""
        if self.body is None:  # whoever answered this did not look at the credential
            return codes.Verdict.UNKNOWN
        return codes.verdict(self.upstream.code, self.reply.status, self.body)

    @property
    def failure(self) -> GatewayError | None:
        """The failure it tells of; None for HTTP 2xx with no error code, or with CBC.0000."""
        status = self.reply.status
        refused = self.upstream.code if self.upstream.code != codes.SUCCESS else None
        if self.body is not None and refused:
            code = codes.meaning(self.operation, refused, status, self.body)
        elif self.body is not None and 200 <= status < 300:
            return None
        else:
            readable = self.body is not None
            code = codes.meaning_without_code(self.operation, status, readable=readable)
        return GatewayError(
            code,
            upstream=self.upstream,
            retry_after=pause(code, self.reply.headers),
            write=self.operation.writes,
        )
