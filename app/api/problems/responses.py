"""The problems of operations, as the contract documents them: one response a status, shared."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from apispec import APISpec

from app.api.problems.document import MEDIA_TYPE, ProblemSchema, sample
from app.errors import ErrorCode
from app.huawei import codes

Codes = frozenset[ErrorCode]

IDENTITY_PROBLEMS = frozenset(
    {
        ErrorCode.UNAUTHENTICATED,
        ErrorCode.FORBIDDEN,
        ErrorCode.IDENTITY_UNAVAILABLE,
        ErrorCode.OVERLOADED,
        ErrorCode.RATE_LIMITED,
    }
)
EVENTS_PROBLEMS = IDENTITY_PROBLEMS | {
    ErrorCode.VALIDATION_FAILED,
    ErrorCode.EVENTS_GONE,
    ErrorCode.EVENTS_UNAVAILABLE,
}
CALLER_PROBLEMS = IDENTITY_PROBLEMS | {ErrorCode.NOT_FOUND}
BODY_PROBLEMS = frozenset(
    {
        ErrorCode.MALFORMED_JSON,
        ErrorCode.PAYLOAD_TOO_LARGE,
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        ErrorCode.VALIDATION_FAILED,
    }
)
UPSTREAM_PROBLEMS = frozenset(codes.COMMON.values()) | {
    ErrorCode.ACCESS_KEY_LOCKED,
    ErrorCode.CIRCUIT_OPEN,
    ErrorCode.CLOCK_SKEWED,
    ErrorCode.DEADLINE_EXCEEDED,
    ErrorCode.UPSTREAM_MALFORMED,
    ErrorCode.UPSTREAM_UNMAPPED,
    ErrorCode.UPSTREAM_UNREACHABLE,
}
# What any write with an Idempotency-Key can end in.
WRITE_PROBLEMS = (
    BODY_PROBLEMS
    | CALLER_PROBLEMS
    | UPSTREAM_PROBLEMS
    | {
        ErrorCode.OUTCOME_UNKNOWN,
        ErrorCode.IDEMPOTENCY_KEY_REUSED,
        ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT,
        ErrorCode.CUSTOMER_WRITE_IN_PROGRESS,
    }
)
SUBMISSION_PROBLEMS = WRITE_PROBLEMS | {
    ErrorCode.DOCUMENT_TYPE_UNSUPPORTED,
    ErrorCode.EVIDENCE_REQUIRED,
    ErrorCode.LEGACY_API_RETIRED,
    ErrorCode.LEGACY_API_UNAVAILABLE,
}
REGISTRATION_PROBLEMS = (
    BODY_PROBLEMS | CALLER_PROBLEMS | UPSTREAM_PROBLEMS | frozenset(codes.REGISTRATION.values())
)
CREATION_PROBLEMS = WRITE_PROBLEMS | REGISTRATION_PROBLEMS | {ErrorCode.BAD_REQUEST}
# Any request can fail with these: the default answer of the contract documents them.
ANYWHERE_PROBLEMS = frozenset(
    {ErrorCode.BAD_REQUEST, ErrorCode.METHOD_NOT_ALLOWED, ErrorCode.INTERNAL_ERROR}
)
DEFAULT = "DEFAULT_ERROR"  # flask-smorest's name

# An operation whose problems of a status are those of a group refers to the group's response.
_GROUPS: Mapping[str, Codes] = {
    "Identity": IDENTITY_PROBLEMS,
    "Read": CALLER_PROBLEMS | UPSTREAM_PROBLEMS,
    "Customer": CALLER_PROBLEMS | UPSTREAM_PROBLEMS | {ErrorCode.ASSOCIATION_PENDING},
    "Query": CALLER_PROBLEMS | UPSTREAM_PROBLEMS | {ErrorCode.VALIDATION_FAILED},
    "Bill": CALLER_PROBLEMS
    | UPSTREAM_PROBLEMS
    | {ErrorCode.VALIDATION_FAILED, ErrorCode.BILL_NOT_READY},
    "Order": CALLER_PROBLEMS | UPSTREAM_PROBLEMS | {ErrorCode.ORDER_NOT_FOUND},
    "Events": EVENTS_PROBLEMS,
    "Write": WRITE_PROBLEMS,
    "Submission": SUBMISSION_PROBLEMS,
    "Registration": REGISTRATION_PROBLEMS,
    "Creation": CREATION_PROBLEMS,
}
_HEADERS = ("X-Request-Id", "RateLimit", "RateLimit-Policy")
_MORE_HEADERS = {401: ("WWW-Authenticate",), 405: ("Allow",)}


def by_status(listed: Iterable[ErrorCode]) -> Iterator[tuple[int, Codes]]:
    """The statuses of these codes in their order, each with its codes."""
    listed = frozenset(listed)
    for status in sorted({code.status for code in listed}):
        yield status, frozenset(code for code in listed if code.status == status)


def _sorted(listed: Codes) -> list[ErrorCode]:
    return [code for code in ErrorCode if code in listed]


def response(listed: Codes) -> dict[str, Any]:
    """Document the response with these codes: an example of each, and the headers."""
    entries = _sorted(listed)
    headers = [*_HEADERS]
    for code in entries:
        headers += _MORE_HEADERS.get(code.status, ())
    if any(code.pause for code in entries):
        headers.append("Retry-After")
    examples = {code.name: code.name for code in entries}
    return {
        "description": ", ".join(code.name for code in entries),
        "content": {MEDIA_TYPE: {"schema": ProblemSchema, "examples": examples}},
        "headers": {name: name for name in headers},
    }


def _single(code: ErrorCode) -> str:
    return "".join(word.capitalize() for word in code.name.split("_"))


def _shared() -> dict[Codes, str]:
    """The names of the shared responses by their codes."""
    names: dict[Codes, str] = {frozenset({code}): _single(code) for code in ErrorCode}
    for group, listed in _GROUPS.items():
        for status, entries in by_status(listed):
            names.setdefault(entries, f"{group}{status}")
    return names


SHARED = _shared()


def register(spec: APISpec) -> None:
    """Register the examples and the shared responses. The contract contains those in use."""
    for code in ErrorCode:
        example = {"summary": code.title, "value": sample(code)}
        spec.components.example(code.name, example, lazy=True)
    for listed, name in SHARED.items():
        spec.components.response(name, response(listed), lazy=True)
    default = response(ANYWHERE_PROBLEMS)
    spec.components.response(DEFAULT, default, lazy=True)
    # flask-smorest refers to this name for the parser's 422; the operation overrides it.
    spec.components.response("UNPROCESSABLE_ENTITY", response(BODY_PROBLEMS), lazy=True)
