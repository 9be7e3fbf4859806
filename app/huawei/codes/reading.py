"""Reads the error code of an answer: its meaning, and its verdict on the credential.

The code decides before the HTTP status: Partner Center also answers failures with HTTP 200, and
Huawei's pages print CBC.5002 with both 200 and 500.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from app.errors import ErrorCode
from app.huawei.codes.table import COMMON, FAMILIES, OTHER, STATUSES, VAGUE
from app.huawei.operation import SUCCESS, Operation


class Verdict(Enum):
    """Huawei's verdict on the credential of a request."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # wrong signature, or an unknown or barred key
    SKEWED = "skewed"  # the signature's time differs too much from Huawei's clock
    LOCKED = "locked"  # Huawei has locked the access key for a time
    DEAD = "dead"  # the token expired or was revoked; a new token may be accepted
    UNKNOWN = "unknown"  # no answer, or an answer from before the credential was checked


# IAM and older calls of Partner Center use codes of digits only.
_CODE = re.compile(r"([A-Z]{2,8}\.)?[0-9]{1,12}")
_KEYS = ("error_code", "errorCode", "code")
# Each entry of these lists is a failure of its own, also under HTTP 200.
_FAILED_ENTRIES = ("error_details", "errorItems")

# Under APIGW.0301 the text distinguishes the causes.
_AUTHENTICATION_TEXTS: Mapping[str, tuple[ErrorCode, Verdict]] = {
    "signature expired": (ErrorCode.CLOCK_SKEWED, Verdict.SKEWED),
    "ak access failed to reach the limit": (ErrorCode.ACCESS_KEY_LOCKED, Verdict.LOCKED),
}
_TOKEN_TEXTS = ("decrypt token fail", "token expires", "x-auth-token not found")

_DEAD_CODES = frozenset({"APIGW.0307", "CBC.0154", "IAM.0066", "IAM.0067"})
# IAM.1104 to IAM.1109 are about access keys and their security tokens.
_REFUSED_CODES = re.compile(r"\A(APIGW\.(0303|0305|1009)|IAM\.(0001|0062|0063|0080|110[4-9]))\Z")


def error_code(body: Mapping[str, Any], status: int) -> str | None:
    """The error code of an answer, in any of Huawei's shapes; None if the answer has no code.

    An answer without a code, or with the code of success, can still list failed entries
    (`error_details`): the result is then the code of the first one. A value that does not have
    the form of a code becomes OTHER, because codes are logged and answered. IAM's numeric codes
    (`{"error": {"code": 401}}`) only repeat the status and are ignored.
    """
    nested = body.get("error")
    if isinstance(nested, Mapping):
        code = _first(nested)
        return code or (OTHER if status < 300 else None)
    code = _first(body, _KEYS[:2])
    if code is None and isinstance(other := body.get("code"), str) and other:
        # In a success `code` can be a field of the operation.
        in_form = "." in other and _CODE.fullmatch(other)
        code = other if in_form else (OTHER if status >= 300 else None)
    if code in (None, SUCCESS):
        entries = next((body[key] for key in _FAILED_ENTRIES if body.get(key)), None)
        return _first_failed(entries) if entries else code
    return code


def verdict(code: str | None, body: Mapping[str, Any], *, success: bool) -> Verdict:
    """Huawei's verdict on the credential, which Huawei checks before everything else.

    Args:
        code: The error code of the answer.
        body: The answer.
        success: Whether the answer is the operation's declared success.
    """
    code = _one_family(code or "")
    if code == "APIGW.0301":
        text = _text(body)
        if any(words in text for words in _TOKEN_TEXTS):
            return Verdict.DEAD
        return next(
            (found for words, (_, found) in _AUTHENTICATION_TEXTS.items() if words in text),
            Verdict.REFUSED,
        )
    if code in _DEAD_CODES:
        return Verdict.DEAD
    if _REFUSED_CODES.match(code):
        return Verdict.REFUSED
    if success or code.startswith("CBC."):
        return Verdict.ACCEPTED
    return Verdict.UNKNOWN


def meaning(
    operation: Operation, code: str | None, status: int, body: Mapping[str, Any] | None
) -> ErrorCode:
    """The meaning of an answer that is not the operation's declared success.

    The operation's own table comes first, then the common table, then the family of the code. A
    code that none of them lists is UPSTREAM_UNMAPPED. Without an error code, and with the code of
    success, the status decides.

    Args:
        operation: The operation that was called.
        code: The error code; None if the answer has none.
        status: The HTTP status.
        body: The answer; None if it is not a JSON object.
    """
    if code is None or code == SUCCESS:
        return _by_status(operation, status, readable=body is not None)
    code = _one_family(code)
    if code == "APIGW.0301":
        text = _text(body or {})
        for words, (entry, _) in _AUTHENTICATION_TEXTS.items():
            if words in text:
                return entry
        return ErrorCode.UPSTREAM_ACCESS_DENIED
    if code == "APIGW.0201":  # 4xx: malformed or too long, our fault; 5xx: the back end's
        return ErrorCode.UPSTREAM_ERROR if status >= 500 else ErrorCode.INTERNAL_ERROR
    found = operation.errors.get(code) or COMMON.get(code) or _by_family(code)
    if operation.gone and status == 410 and code != OTHER:
        # IAM.0020 is printed with 410 too: a code with a precise meaning of its own comes first.
        return operation.gone if code == VAGUE or found is ErrorCode.UPSTREAM_UNMAPPED else found
    return found


def _by_status(operation: Operation, status: int, *, readable: bool) -> ErrorCode:
    if entry := operation.statuses.get(status) or STATUSES.get(status):
        return entry
    if operation.writes and (status >= 500 or status < 300):
        # Some server accepted the write; the answer does not show its outcome.
        return ErrorCode.OUTCOME_UNKNOWN
    if readable and status >= 500:
        return ErrorCode.UPSTREAM_ERROR
    return ErrorCode.UPSTREAM_MALFORMED


def _first_failed(entries: Any) -> str:
    """The code of the first failed entry. Each request of the gateway is about one customer."""
    entry = entries[0] if isinstance(entries, list) else entries
    code = _first(entry) if isinstance(entry, Mapping) else None
    return code if code not in (None, SUCCESS) else OTHER


def _first(holder: Mapping[str, Any], keys: tuple[str, ...] = _KEYS) -> str | None:
    for key in keys:
        code = holder.get(key)
        if code in (None, "", 0) or (key == "code" and isinstance(code, int)):
            continue
        text = str(code) if isinstance(code, str | int) else ""
        return text if _CODE.fullmatch(text) else OTHER
    return None


def _text(body: Mapping[str, Any]) -> str:
    for key in ("error_msg", "errorMsg", "message"):
        if isinstance(text := body.get(key), str):
            return text.lower()
    return ""


def _one_family(code: str) -> str:
    """The code, with the dedicated API gateway's prefix replaced: both use the same numbers."""
    return "APIGW." + code.removeprefix("APIG.") if code.startswith("APIG.") else code


def _by_family(code: str) -> ErrorCode:
    return next(
        (entry for prefix, entry in FAMILIES.items() if code.startswith(prefix)),
        ErrorCode.UPSTREAM_UNMAPPED,
    )
