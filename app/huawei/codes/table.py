"""Huawei's error codes, and the error code of our catalogue that each one means.

The codes come from Partner Center, the API gateway and IAM. Sources: the error-code appendix
(en-us_topic_0081766005), the status sections of mc_00017, mc_00018 and mc_00007, the page of
verified-info (en-us_topic_0076214635), the API gateway's and IAM's error-code pages.
"""

from collections.abc import Mapping

from app.errors import ErrorCode
from app.huawei.operation import SUCCESS

OTHER = "OTHER"  # replaces a code whose form is unknown
VAGUE = "CBC.0999"  # "other error"

COMMON: Mapping[str, ErrorCode] = {
    # Partner Center, every operation
    "CBC.0100": ErrorCode.UPSTREAM_REJECTED_FIELDS,  # parameter error
    "CBC.0101": ErrorCode.UPSTREAM_REJECTED_FIELDS,  # invalid parameter
    "CBC.0150": ErrorCode.UPSTREAM_ACCESS_DENIED,  # account of another website
    "CBC.0151": ErrorCode.UPSTREAM_ACCESS_DENIED,  # wrong credential, or permission missing
    "CBC.0154": ErrorCode.UPSTREAM_ACCESS_DENIED,  # token invalid or expired
    "CBC.0155": ErrorCode.UPSTREAM_ACCESS_DENIED,  # permission missing
    "CBC.0156": ErrorCode.UPSTREAM_ACCESS_DENIED,  # account of another website (new number)
    "CBC.0250": ErrorCode.UPSTREAM_THROTTLED,  # too many calls, counted by BSS itself
    "CBC.0999": ErrorCode.UPSTREAM_ERROR,  # other error
    "CBC.18000016": ErrorCode.UPSTREAM_ACCESS_DENIED,  # permissions insufficient
    # Partner and customer
    "CBC.5001": ErrorCode.PARTNER_NOT_ENABLED,  # the caller is not a partner
    "CBC.5002": ErrorCode.CUSTOMER_NOT_FOUND,  # no such customer of this partner
    "CBC.5004": ErrorCode.CUSTOMER_NOT_ASSOCIATED,  # no right over the customer
    "CBC.5005": ErrorCode.VERIFICATION_IN_PROGRESS,  # Huawei is authenticating the customer
    "CBC.5006": ErrorCode.CUSTOMER_KIND_MISMATCH,  # the stored kind differs
    "CBC.99000000": ErrorCode.CUSTOMER_NOT_ASSOCIATED,  # no right over the customer (mqr_01002)
    "CBC.99000035": ErrorCode.CUSTOMER_NOT_FOUND,  # not this partner's customer
    "CBC.99005035": ErrorCode.PARTNER_NOT_ENABLED,  # a test partner account
    # Resellers and their customers
    "CBC.5024": ErrorCode.ASSOCIATION_TYPE_WRONG,
    "CBC.99005024": ErrorCode.ASSOCIATION_TYPE_WRONG,
    "CBC.50000030": ErrorCode.BUDGET_NOT_ALLOWED,  # the reseller's quota is too small
    "CBC.50000033": ErrorCode.BUDGET_NOT_ALLOWED,  # the reseller may not set budgets
    "CBC.99000037": ErrorCode.RESELLER_NOT_ALLOWED,  # no right over the reseller
    # Real-name authentication
    "CBC.99000099": ErrorCode.ATTACHMENT_TOO_LARGE,
    "CBC.99000100": ErrorCode.ATTACHMENT_FORMAT,
    "CBC.99005030": ErrorCode.PARTNER_NOT_ENABLED,  # real-name switch off, or bucket refused
    "CBC.99007004": ErrorCode.BUSINESS_PRECONDITION_FAILED,
    "CBC.99007188": ErrorCode.ALREADY_VERIFIED_OR_IN_REVIEW,
    "CBC.99007189": ErrorCode.DOCUMENT_LIMIT_REACHED,  # number used by too many customers
    "CBC.99007191": ErrorCode.ATTEMPT_LIMIT_REACHED,
    "CBC.99007193": ErrorCode.DOCUMENT_BLOCKED,  # number blocked
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
    "APIGW.0101": ErrorCode.UPSTREAM_UNMAPPED,  # no such API: each operation declares the meaning
    "APIGW.0106": ErrorCode.UPSTREAM_ERROR,  # orchestration fault
    "APIGW.0307": ErrorCode.UPSTREAM_ACCESS_DENIED,  # the token must be renewed
    "APIGW.0308": ErrorCode.UPSTREAM_THROTTLED,
    "APIGW.0601": ErrorCode.UPSTREAM_ERROR,
    "APIGW.0602": ErrorCode.INTERNAL_ERROR,  # bad request: a fault of the gateway itself
    "APIGW.0607": ErrorCode.UPSTREAM_ACCESS_DENIED,  # protocol not supported
    "APIGW.1009": ErrorCode.UPSTREAM_ACCESS_DENIED,  # app key invalid
    # IAM
    "IAM.0006": ErrorCode.UPSTREAM_ERROR,
    "IAM.0012": ErrorCode.UPSTREAM_THROTTLED,
    "IAM.0020": ErrorCode.UPSTREAM_ERROR,  # authentication moves to another region
}

# The codes of the registration (mc_00016, mc_00023, mc_00024; most are from China's pages).
REGISTRATION: Mapping[str, ErrorCode] = {
    "CBC.99000038": ErrorCode.ACCOUNT_NAME_TAKEN,
    "CBC.99000039": ErrorCode.PARTNER_USER_ID_TAKEN,
    "CBC.99000051": ErrorCode.EMAIL_TAKEN,  # registered in advance by Huawei
    "CBC.99004010": ErrorCode.CODE_WRONG,
    "CBC.99000027": ErrorCode.CODE_EXPIRED,
    "CBC.99004008": ErrorCode.CODE_EXPIRED,  # void
    "CBC.99004009": ErrorCode.CODE_EXPIRED,  # failed more than three times
    "CBC.99004015": ErrorCode.SEND_LIMIT_REACHED,
    "CBC.99000031": ErrorCode.UPSTREAM_REJECTED_FIELDS,  # login name malformed
    "CBC.99000036": ErrorCode.UPSTREAM_REJECTED_FIELDS,  # password malformed
    "CBC.99000004": ErrorCode.UPSTREAM_ERROR,  # fault while authorising
    "CBC.99004003": ErrorCode.UPSTREAM_ERROR,  # code generated, but not sent
    "CBC.99000050": ErrorCode.ASSOCIATION_PENDING,  # the association takes longer
    "CBC.50010059": ErrorCode.PARTNER_NOT_ENABLED,  # distributors may not associate customers
    "CBC.50010065": ErrorCode.PARTNER_NOT_ENABLED,  # the reseller's distributor has left
    "CBC.50010085": ErrorCode.PARTNER_NOT_ENABLED,  # the partner is restricted
    "CBC.50010086": ErrorCode.PARTNER_NOT_ENABLED,  # the reseller's distributor is restricted
}

# Meanings by prefix, for codes that no table lists. The longest prefix wins.
FAMILIES: Mapping[str, ErrorCode] = {
    "APIGW.010": ErrorCode.UPSTREAM_ERROR,  # .0103 to .0105: configuration faults at Huawei
    "APIGW.0204": ErrorCode.UPSTREAM_ACCESS_DENIED,  # TLS version not supported
    "APIGW.03": ErrorCode.UPSTREAM_ACCESS_DENIED,  # authentication and authorisation
    "APIGW.04": ErrorCode.UPSTREAM_ACCESS_DENIED,  # source address not allowed
    "APIGW.05": ErrorCode.UPSTREAM_ACCESS_DENIED,  # application quota used up, or frozen
    "APIGW.06": ErrorCode.UPSTREAM_ERROR,  # back end not available
    "APIGW.07": ErrorCode.UPSTREAM_ERROR,
    "APIGW.08": ErrorCode.UPSTREAM_ACCESS_DENIED,  # user forbidden in the region
    "IAM.": ErrorCode.UPSTREAM_ACCESS_DENIED,
}

# Codes of these families that a page of Huawei's lists.
_LISTED: Mapping[str, str] = {
    "APIGW": "0103 0104 0105 0201 0204 0301 0302 0303 0304 0305 0306 0310 0311 0401 0402 0404 "
    "0501 0502 0605 0606 0608 0609 0610 0611 0612 0613 0705 0802",
    "IAM": "0001 0002 0003 0004 0005 0007 0009 0011 0061 0062 0063 0064 0065 0066 0067 0072 0073 "
    "0080 0081 0082 0083 1104 1105 1106 1107 1108 1109",
}
# All known codes except those that only one operation's own table lists.
KNOWN = frozenset(
    {SUCCESS, OTHER, *COMMON, *REGISTRATION}
    | {f"{family}.{number}" for family, numbers in _LISTED.items() for number in numbers.split()}
)

# Meanings by HTTP status, for answers without an error code.
STATUSES: Mapping[int, ErrorCode] = {
    401: ErrorCode.UPSTREAM_ACCESS_DENIED,
    403: ErrorCode.UPSTREAM_ACCESS_DENIED,
    429: ErrorCode.UPSTREAM_THROTTLED,
}
