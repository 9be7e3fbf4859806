"""What Partner Center's, the API gateway's and IAM's error codes mean in our catalogue.

Codes come before statuses, always: Partner Center answers failures with HTTP 200 too, and
CBC.5002 has been printed with both 200 and 500. Sources: the error-code appendix
(en-us_topic_0081766005), the status sections of mc_00017, mc_00018 and mc_00007, the page of
verified-info (en-us_topic_0076214635), the API gateway's and IAM's error-code pages.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from app.errors import ErrorCode
from app.huawei.operation import Operation
from app.huawei.success import SUCCESS

OTHER = "OTHER"  # stands for a code of no known form
_VAGUE = "CBC.0999"  # "other error"


class Verdict(Enum):
    """What an answer says of the credential that the request carried."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # wrong signature, unknown or barred key
    SKEWED = "skewed"  # the signature's time is too far off
    LOCKED = "locked"  # the access key is locked for a while
    DEAD = "dead"  # the token expired or was revoked: a new one may do
    UNKNOWN = "unknown"  # nothing: no answer, or one from before the check


COMMON: Mapping[str, ErrorCode] = {
    # Partner Center, every operation
    "CBC.0100": ErrorCode.UPSTREAM_REJECTED_FIELDS,  # parameter error
    "CBC.0101": ErrorCode.UPSTREAM_REJECTED_FIELDS,  # invalid parameter
    "CBC.0150": ErrorCode.UPSTREAM_ACCESS_DENIED,  # account of another website
    "CBC.0151": ErrorCode.UPSTREAM_ACCESS_DENIED,  # wrong credential, or permission missing
    "CBC.0154": ErrorCode.UPSTREAM_ACCESS_DENIED,  # token invalid or expired
    "CBC.0155": ErrorCode.UPSTREAM_ACCESS_DENIED,  # permission missing
    "CBC.0156": ErrorCode.UPSTREAM_ACCESS_DENIED,  # account of another website (new number)
    "CBC.0250": ErrorCode.UPSTREAM_THROTTLED,  # too many calls, said by BSS itself
    "CBC.0999": ErrorCode.UPSTREAM_ERROR,  # other error
    "CBC.18000016": ErrorCode.UPSTREAM_ACCESS_DENIED,  # permissions insufficient
    # Partner and customer
    "CBC.5001": ErrorCode.PARTNER_NOT_ENABLED,  # the caller is not a partner
    "CBC.5002": ErrorCode.CUSTOMER_NOT_FOUND,  # no such customer of this partner
    "CBC.5004": ErrorCode.CUSTOMER_NOT_ASSOCIATED,  # no right over the customer
    "CBC.5005": ErrorCode.VERIFICATION_IN_PROGRESS,  # Huawei is authenticating the customer
    "CBC.5006": ErrorCode.CUSTOMER_KIND_MISMATCH,  # the stored kind differs
    "CBC.99000035": ErrorCode.CUSTOMER_NOT_FOUND,  # not this partner's customer
    "CBC.99005035": ErrorCode.PARTNER_NOT_ENABLED,  # a test partner account
    # Real-name authentication
    "CBC.99000099": ErrorCode.ATTACHMENT_TOO_LARGE,
    "CBC.99000100": ErrorCode.ATTACHMENT_FORMAT,
    "CBC.99005030": ErrorCode.PARTNER_NOT_ENABLED,  # real-name switch off, or bucket refused
    "CBC.99007004": ErrorCode.BUSINESS_PRECONDITION_FAILED,
    "CBC.99007188": ErrorCode.ALREADY_VERIFIED_OR_IN_REVIEW,
    "CBC.99007189": ErrorCode.DOCUMENT_LIMIT_REACHED,  # number used by too many customers
    "CBC.99007191": ErrorCode.ATTEMPT_LIMIT_REACHED,
    "CBC.99007193": ErrorCode.DOCUMENT_BLOCKED,  # number barred
    "CBC.99007202": ErrorCode.VERIFICATION_FAILED,
    "CBC.99007219": ErrorCode.FACE_MISMATCH,
    "CBC.99007255": ErrorCode.VERIFICATION_FAILED,  # card holder does not match (China site)
    "CBC.99007258": ErrorCode.VERIFICATION_FAILED,  # state of the card (China site)
    "CBC.99007260": ErrorCode.UPSTREAM_ERROR,  # clearing fault (China site)
    "CBC.99007261": ErrorCode.VERIFICATION_FAILED,  # card not supported (China site)
    "CBC.99007262": ErrorCode.UPSTREAM_ERROR,  # bank or network fault (China site)
    "CBC.70600026": ErrorCode.MANUAL_HANDLING_REQUIRED,
    "CBC.70600032": ErrorCode.IDENTITY_RISK,
    # API gateway
    "APIGW.0101": ErrorCode.UPSTREAM_UNMAPPED,  # no such API: each operation says what it means
    "APIGW.0106": ErrorCode.UPSTREAM_ERROR,  # orchestration fault
    "APIGW.0307": ErrorCode.UPSTREAM_ACCESS_DENIED,  # the token must be renewed
    "APIGW.0308": ErrorCode.UPSTREAM_THROTTLED,
    "APIGW.0601": ErrorCode.UPSTREAM_ERROR,
    "APIGW.0602": ErrorCode.INTERNAL_ERROR,  # bad request: our fault, no caller can cause it
    "APIGW.0607": ErrorCode.UPSTREAM_ACCESS_DENIED,  # protocol not supported
    "APIGW.1009": ErrorCode.UPSTREAM_ACCESS_DENIED,  # app key invalid
    # IAM
    "IAM.0006": ErrorCode.UPSTREAM_ERROR,
    "IAM.0012": ErrorCode.UPSTREAM_THROTTLED,
    "IAM.0020": ErrorCode.UPSTREAM_ERROR,  # authentication moves to another region
}

# A code that no table names is judged by how it begins, the longest beginning first.
FAMILIES: Mapping[str, ErrorCode] = {
    "APIGW.010": ErrorCode.UPSTREAM_ERROR,  # .0103 to .0105: configuration faults of Huawei's
    "APIGW.0204": ErrorCode.UPSTREAM_ACCESS_DENIED,  # TLS version not supported
    "APIGW.03": ErrorCode.UPSTREAM_ACCESS_DENIED,  # authentication and authorisation
    "APIGW.04": ErrorCode.UPSTREAM_ACCESS_DENIED,  # source address not allowed
    "APIGW.05": ErrorCode.UPSTREAM_ACCESS_DENIED,  # application quota used up, or frozen
    "APIGW.06": ErrorCode.UPSTREAM_ERROR,  # back end not available
    "APIGW.07": ErrorCode.UPSTREAM_ERROR,
    "APIGW.08": ErrorCode.UPSTREAM_ACCESS_DENIED,  # user forbidden in the region
    "IAM.": ErrorCode.UPSTREAM_ACCESS_DENIED,
}

# The members of these families that have been printed somewhere.
_PRINTED: Mapping[str, str] = {
    "APIGW": "0103 0104 0105 0201 0204 0301 0302 0303 0304 0305 0306 0310 0311 0401 0402 0404 "
    "0501 0502 0605 0606 0608 0609 0610 0611 0612 0613 0705 0802",
    "IAM": "0001 0002 0003 0004 0005 0007 0009 0011 0061 0062 0063 0064 0065 0066 0067 0072 0073 "
    "0080 0081 0082 0083 1104 1105 1106 1107 1108 1109",
}
# Codes that no operation has for itself and that are known all the same.
KNOWN = frozenset(
    {SUCCESS, OTHER, *COMMON}
    | {f"{family}.{number}" for family, all_ in _PRINTED.items() for number in all_.split()}
)

# APIGW.0301 and APIGW.0201 say by text and by status what they mean.
_AUTHENTICATION_TEXTS: Mapping[str, tuple[ErrorCode, "Verdict"]] = {
    "signature expired": (ErrorCode.CLOCK_SKEWED, Verdict.SKEWED),
    "ak access failed to reach the limit": (ErrorCode.ACCESS_KEY_LOCKED, Verdict.LOCKED),
}

_TOKEN_TEXTS = ("decrypt token fail", "token expires", "x-auth-token not found")
_DEAD_CODES = frozenset({"APIGW.0307", "CBC.0154", "IAM.0066", "IAM.0067"})
# IAM.1104 to IAM.1109 are about access keys and their security tokens.
_REFUSED_CODES = re.compile(r"\A(APIGW\.(0303|0305|1009)|IAM\.(0001|0062|0063|0080|110[4-9]))\Z")


def verdict(code: str | None, body: Mapping[str, Any], *, success: bool) -> Verdict:
    """What an answer says of the credential, which Huawei checks before all else.

    Args:
        code: The answer's code.
        body: The answer.
        success: Whether it is what the operation declares as its success.
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


STATUSES: Mapping[int, ErrorCode] = {
    401: ErrorCode.UPSTREAM_ACCESS_DENIED,
    403: ErrorCode.UPSTREAM_ACCESS_DENIED,
    429: ErrorCode.UPSTREAM_THROTTLED,
}

# IAM and older calls of Partner Center have codes of digits alone.
_CODE = re.compile(r"([A-Z]{2,8}\.)?[0-9]{1,12}")
_KEYS = ("error_code", "errorCode", "code")
# Each entry of these lists is a failure of its own, also under HTTP 200.
_FAILED_ENTRIES = ("error_details", "errorItems")


def error_code(body: Mapping[str, Any], status: int) -> str | None:
    """The code of an answer, whichever of Huawei's shapes it has; None if it has none.

    Beside no code, or that of a success, there can be failed entries (`error_details`).
    What does not look like a code becomes OTHER, since codes are logged and answered. IAM's
    numeric codes (`{"error": {"code": 401}}`) repeat the status and say nothing more.
    """
    nested = body.get("error")
    if isinstance(nested, Mapping):
        code = _first(nested)
        return code or (OTHER if status < 300 else None)
    code = _first(body, _KEYS[:2])
    if code is None and isinstance(other := body.get("code"), str) and other:
        # In a success this name can belong to a field of the operation.
        in_form = "." in other and _CODE.fullmatch(other)
        code = other if in_form else (OTHER if status >= 300 else None)
    if code in (None, SUCCESS):
        entries = next((body[key] for key in _FAILED_ENTRIES if body.get(key)), None)
        return _first_failed(entries) if entries else code
    return code


def _first_failed(entries: Any) -> str:
    """The code of the first entry that failed: each request of ours is about one customer."""
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
    """The code, with the dedicated gateway's prefix replaced: both have the same numbers."""
    return "APIGW." + code.removeprefix("APIG.") if code.startswith("APIG.") else code


def _by_family(code: str) -> ErrorCode:
    for beginning in sorted(FAMILIES, key=len, reverse=True):
        if code.startswith(beginning):
            return FAMILIES[beginning]
    return ErrorCode.UPSTREAM_UNMAPPED


def meaning(operation: Operation, code: str, status: int, body: Mapping[str, Any]) -> ErrorCode:
    """What a refusal with an error code means.

    Looked up in the operation's own table, the common table, the code's family; what none of
    them knows is UPSTREAM_UNMAPPED.
    """
    code = _one_family(code)
    if code == "APIGW.0301":
        text = _text(body)
        for words, (entry, _) in _AUTHENTICATION_TEXTS.items():
            if words in text:
                return entry
        return ErrorCode.UPSTREAM_ACCESS_DENIED
    if code == "APIGW.0201":  # malformed or too long: our fault; 5xx: the back end's
        return ErrorCode.UPSTREAM_ERROR if status >= 500 else ErrorCode.INTERNAL_ERROR
    found = operation.errors.get(code) or COMMON.get(code) or _by_family(code)
    if operation.gone and status == 410 and code != OTHER:
        # IAM.0020 is printed with 410 too: a code that says what it is about comes first.
        return operation.gone if code == _VAGUE or found is ErrorCode.UPSTREAM_UNMAPPED else found
    return found


def meaning_without_code(operation: Operation, status: int, *, readable: bool) -> ErrorCode:
    """What an answer without a (failure) code means, by its status.

    Under 2xx it is an answer that does not have the form of the operation's success.

    Args:
        readable: Whether the body was a JSON object at all.
    """
    if entry := operation.statuses.get(status) or STATUSES.get(status):
        return entry
    if operation.writes and (status >= 500 or status < 300):
        # It was accepted by something, and nothing tells what became of it.
        return ErrorCode.OUTCOME_UNKNOWN
    if readable and status >= 500:
        return ErrorCode.UPSTREAM_ERROR
    return ErrorCode.UPSTREAM_MALFORMED
