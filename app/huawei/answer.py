"""The answer of a service of Huawei, and its meaning."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from app.errors import ErrorCode, GatewayError, Upstream
from app.huawei import codes
from app.huawei.operation import Operation
from app.huawei.pacing.breaker import Evidence
from app.huawei.pacing.pause import pause
from app.huawei.transport import Reply

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id(text: Any) -> str | None:
    """An upstream request id, if it looks like one: it is logged and answered."""
    return text if isinstance(text, str) and _REQUEST_ID.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a service of Huawei: the fields of a success, or a failure.

    Args:
        upstream: Its code, status and request id, which may be logged and answered.
        fields: The fields of a success, as the operation declares them; personal values may be
            among them.
        failure: The failure; None for a success.
        verdict: The verdict on the credential of the request.
    """

    upstream: Upstream
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    failure: GatewayError | None = None
    verdict: codes.Verdict = codes.Verdict.UNKNOWN

    @classmethod
    def of(cls, operation: Operation, reply: Reply) -> Self:
        """Read Partner Center's reply. Code before status: failures come with HTTP 200 too."""
        status, body = reply.status, json_object(reply.content)
        found = body or {}
        asked = request_id(reply.headers.get("x-request-id") or found.get("request_id"))
        code = codes.error_code(found, status)
        upstream = Upstream(code, status, asked)
        fields = None
        if operation.may_succeed(code, status) and reply.content is not None:
            fields = operation.success.read(status, reply.content, body)
        verdict = codes.verdict(code, found, success=fields is not None)
        if fields is not None:
            return cls(upstream, fields, verdict=verdict)
        entry = codes.meaning(operation, code, status, body)
        failure = GatewayError(
            entry,
            upstream=upstream,
            retry_after=pause(entry, reply.headers),
            write=operation.writes,
        )
        return cls(upstream, failure=failure, verdict=verdict)

    @property
    def evidence(self) -> Evidence:
        """The evidence of the answer for the circuit.

        A failure under 2xx or 5xx without a code of Huawei's is FAILED. Another status with an
        unreadable body is DOUBTFUL: it may be a firewall that refuses one customer's request.
        CBC.0999 and the faults of Huawei's API gateway are DOUBTFUL: one customer alone can get
        them.
        """
        failure, code = self.failure, self.upstream.code
        if failure is None:
            return Evidence.ANSWERED
        if code is None or code == codes.OTHER:
            status = self.upstream.status or 0
            if 200 <= status < 300 or status >= 500:
                return Evidence.FAILED
            doubtful = failure.code is ErrorCode.UPSTREAM_MALFORMED
        else:
            # The other CBC codes that mean UPSTREAM_ERROR are faults of the customer's bank.
            of_huawei = code == "CBC.0999" or not code.startswith("CBC.")
            doubtful = of_huawei and failure.code is ErrorCode.UPSTREAM_ERROR
        return Evidence.DOUBTFUL if doubtful else Evidence.ANSWERED


def json_object(content: bytes | None) -> Mapping[str, Any] | None:
    """The JSON object that the content is, even if its texts are damaged; None if it is not one.

    An error text can come in another encoding than UTF-8, cut in the middle of a letter, or with a
    raw line break. The code beside it is ASCII and must not be lost with it.
    """
    for text in _texts(content or b""):
        try:
            body = json.loads(
                text,
                strict=False,
                object_pairs_hook=_object,
                parse_constant=_refuse,
                parse_float=Decimal,  # amounts keep every digit
            )
        except (ValueError, RecursionError):
            continue
        return body if isinstance(body, dict) else None
    return None


def _texts(content: bytes) -> Iterator[str]:
    """The content as text, the likeliest reading first."""
    try:
        yield content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # In GBK the second byte of a letter can be a backslash, so GBK comes before the
        # encodings that decode each byte by itself.
        for encoding in ("gb18030", "utf-8", "latin-1"):
            yield content.removeprefix(b"\xef\xbb\xbf").decode(encoding, "replace")


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are unique: two values for one name contradict each other."""
    read: dict[str, Any] = {}
    for name, value in pairs:
        if name in read and read[name] != value:
            raise ValueError("a name with two values")
        read[name] = value
    return read


def _refuse(_: str) -> Any:
    raise ValueError("not JSON")
