"""One upstream call, declared as data, and its success as Huawei declares it.

The absence of an error proves nothing: a maintenance page can be JSON under HTTP 200. A 2xx answer
that is not the declared success is unreadable.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self
from urllib.parse import quote

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from app.answers import Answer, Page, reading
from app.errors import ErrorCode

SUCCESS = "CBC.0000"

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


class Success(Protocol):
    """How one operation's success looks."""

    def read(
        self, status: int, content: bytes, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any] | None:
        """The fields of a successful answer; None if Huawei did not declare success.

        Args:
            status: The HTTP status; 200 to 299, unless the code is one of `effective`.
            content: The answer as it came.
            body: The JSON object in it; None if it holds none. It tells of no failure.
        """


class ByCode:
    """Success is the error code CBC.0000, as verified-info answers it (en-us_topic_0076214635)."""

    def read(
        self, status: int, content: bytes, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any] | None:
        """An empty mapping on success."""
        return {} if body is not None and body.get("error_code") == SUCCESS else None


class ByNothing:
    """Success is HTTP 200 or 204 without a body, for operations that answer nothing."""

    def read(
        self, status: int, content: bytes, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any] | None:
        """An empty mapping on success."""
        return {} if status in (200, 204) and not content.strip() else None


class ByFields:
    """Success is an object with the fields of a schema.

    Args:
        schema: Loads the fields. An answer that it refuses is not a success.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def read(
        self, status: int, content: bytes, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any] | None:
        """The fields on success."""
        if body is None or _tells_of_error(body):
            return None
        try:
            loaded: Mapping[str, Any] = self._schema.load(body)
        except ValidationError:
            return None
        return loaded


def _tells_of_error(body: Mapping[str, Any]) -> bool:
    """Whether an answer without a code has an error text, which v2 calls have on failure only."""
    texts = (body.get(name) for name in ("error_msg", "errorMsg", "error"))
    return not body.get("error_code") and any(text not in (None, "") for text in texts)


class Number(fields.Integer):
    """A number of Huawei, as a JSON number or as text: its pages print both.

    Args:
        allowed: The numbers that Huawei documents.
    """

    def __init__(self, *allowed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._allowed = allowed

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value not in self._allowed:
            raise self.make_error("invalid")
        return value


class AnswerSchema(Schema):
    """The fields that the gateway reads of an answer; Huawei may add others."""

    class Meta:
        unknown = EXCLUDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A call of Partner Center.

    Args:
        name: Its name in logs and metrics.
        method: The HTTP method.
        path: The path; `{partner_id}` is filled in from the account, other names by `at`.
        writes: Whether it changes anything, so that its outcome can be unknown.
        success: What Huawei declares as its success. Any other 2xx answer is unreadable.
        effective: Huawei's codes under which the call took effect although they report an error.
            An answer with one of them succeeds by the same declaration, whatever its status.
        errors: What its own error codes mean, where they differ from the common table.
        statuses: What an HTTP status means here when the answer has no error code.
        gone: What HTTP 410 means here with an error code of Huawei's form that says nothing more
            precise.
        queue: The name of its API's queue in metrics, where that is not its own: two operations
            that share an API share Huawei's quota for it.
        asks: Huawei's names of its parameters, by our names. Some reads have them in a POST body.
        english: Whether it asks for names in English. Huawei answers some in Chinese otherwise.
        calls_per_second: Huawei's own limit of this API, where it is lower than the general one.
        parts: The parts of the path that `at` filled in. They do not change the queue of the API.
    """

    name: str
    method: str
    path: str
    writes: bool
    success: Success
    effective: frozenset[str] = frozenset()
    errors: Mapping[str, ErrorCode] = field(default_factory=dict)
    statuses: Mapping[int, ErrorCode] = field(default_factory=dict)
    gone: ErrorCode | None = None
    queue: str | None = None
    asks: Mapping[str, str] = field(default_factory=dict)
    english: bool = False
    calls_per_second: float | None = None
    parts: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(
        cls,
        address: str,
        name: str,
        answer: type[Answer],
        /,
        *,
        errors: Mapping[str, ErrorCode] | None = None,
        english: bool = False,
        calls_per_second: float | None = None,
        **asks: str,
    ) -> Self:
        """A read that answers the fields of a class, which is a Page for a list.

        Args:
            address: The method and the path. Some reads ask by POST.
            name: Its name in logs and metrics.
            answer: The class of the answer.
            errors: What its own error codes mean.
            english: Whether it asks for names in English.
            calls_per_second: Huawei's own limit of this API.
            **asks: Huawei's names of what it asks, by our words.
        """
        method, path = address.split(" ")
        paged = {"limit": "limit", "after": "offset"} if issubclass(answer, Page) else {}
        return cls(
            name=name,
            method=method,
            path=path,
            writes=False,
            success=ByFields(reading(answer)),
            errors=errors or {},
            asks=paged | asks,
            english=english,
            calls_per_second=calls_per_second,
        )

    def may_succeed(self, code: str | None, status: int) -> bool:
        """Whether an answer can be a success, by its error code and its HTTP status."""
        return code in self.effective or (code in (None, SUCCESS) and 200 <= status < 300)

    def at(self, **parts: str) -> Self:
        """The operation on one thing, whose id is a part of the path.

        Args:
            **parts: The parts of the path by their names in it.
        """
        return replace(self, parts={name: quote(part, safe="") for name, part in parts.items()})

    def asked(
        self, ours: Mapping[str, Any]
    ) -> tuple[Sequence[tuple[str, str]], Mapping[str, Any] | None]:
        """The parameters of a request under Huawei's names: the query of a GET, else the body.

        Args:
            ours: What it asks, in our words; None asks nothing.
        """
        asked = {self.asks[word]: value for word, value in ours.items() if value is not None}
        if self.method == "GET":
            return [(name, str(value)) for name, value in asked.items()], None
        return (), asked
