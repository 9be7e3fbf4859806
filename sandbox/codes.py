"""Huawei's error codes for the served calls: HTTP status and text.

Sources: the error-code appendix and the status sections of the Partner Center API reference
(en-us_topic_0081766005, mc_00017 to mc_00020), the API Gateway user guide, the IAM API reference.
A status of None means that no page prints a status for the code.
"""

from __future__ import annotations

import re

from .calls import Answer, json_answer

UNKNOWN_TEXT = "Unknown error."

CBC: dict[str, tuple[int | None, str]] = {
    "0000": (200, "success"),
    "0100": (400, "Parameter error."),
    "0101": (400, "Invalid parameter."),
    "0150": (403, "Access denied. The account is not a customer of this website."),
    "0151": (403, "Access denied."),
    "0154": (401, "The token is invalid or has expired."),  # one list prints 403
    "0155": (None, "Permission missing."),
    "0156": (403, "Access denied. The account is not a customer of this website."),
    "0250": (None, "The API is called too frequently."),
    "0999": (500, "Other errors."),
    "18000016": (400, "Insufficient permissions. Contact your partner."),
    "5001": (None, "You are not a partner."),  # another list prints 200
    "5002": (None, "The customer does not exist."),  # siblings print 200 and 500
    "5004": (None, "You have no permission for this customer."),
    "5005": (None, "Real-name authentication of the customer is in progress."),
    "5006": (None, "The customer type differs."),
    "5017": (400, "The phone number format is incorrect."),
    "5024": (None, "The association type of the customer is incorrect."),
    "30000010": (400, "The order is invalid. It may not exist."),
    "50000030": (None, "The budget quota of the reseller is insufficient."),
    "50000033": (None, "The reseller cannot set budgets."),
    "50010059": (400, "A distributor cannot associate customers."),
    "50010065": (400, "The distributor of the reseller has left."),
    "50010085": (400, "The partner enterprise is restricted."),
    "50010086": (400, "The distributor of the reseller is restricted."),
    "99000000": (400, "You have no permission for this customer."),
    "99000004": (None, "An error occurred during authorization."),
    "99000027": (400, "The verification code has expired."),
    "99000029": (400, "The phone number already exists."),
    "99000030": (400, "The phone number is used too many times."),
    "99000031": (400, "The login name format is incorrect."),
    "99000035": (400, "The customer is not your customer."),
    "99000036": (400, "The password format is incorrect."),
    "99000037": (400, "You have no permission for the reseller."),
    "99000038": (400, "The login name already exists."),
    "99000039": (400, "The xaccountId already exists."),
    "99000050": (500, "The association result timed out. Query it later."),
    "99000051": (400, "The phone number or email address has been pre-registered."),
    "99000099": (400, "The attachment is too large."),
    "99000100": (400, "The attachment format is incorrect."),
    "99004003": (None, "The verification code was generated but not sent."),
    "99004008": (400, "The verification code is invalid."),
    "99004009": (400, "The verification code failed more than 3 times."),
    "99004010": (400, "The verification code is incorrect."),
    "99004015": (None, "The number of verification codes exceeds the limit."),
    "99005024": (None, "The association type of the customer is incorrect."),
    "99005026": (400, "The order is not an unsubscription or downgrade order."),
    "99005030": (400, "Real-name authentication is not enabled or the bucket is not authorized."),
    "99005035": (400, "A test partner cannot do this."),
    "99007004": (400, "A business precondition is not met."),
    "99007188": (400, "The customer has been authenticated or is being reviewed."),
    "99007189": (400, "The certificate number is used by too many customers."),
    "99007191": (400, "Too many authentication attempts."),
    "99007193": (400, "The certificate number is blocked."),
    "99007202": (400, "Verification failed."),
    "99007219": (400, "The face does not match."),
    "99007255": (400, "The card holder's details are incorrect."),
    "99007258": (400, "The card state is abnormal."),
    "99007260": (400, "Clearing failed."),
    "99007261": (400, "The card is not supported."),
    "99007262": (400, "Bank or network fault."),
    "70600026": (400, "The application cannot be reviewed now. Contact your account manager."),
    "70600032": (400, "Operation failed: the identity looks abnormal. Submit a service ticket."),
}

# The code .0201 is printed with 400, 413, 414, 494, 500, 502 and 504. A magic customer id selects
# another status.
GATEWAY: dict[str, tuple[int | None, str]] = {
    "0101": (404, "API not exist or not published to environment"),
    "0103": (500, "The backend does not exist"),
    "0104": (500, "The plug-ins do not exist"),
    "0105": (500, "The backend configurations do not exist"),
    "0106": (400, "Orchestration error"),
    "0201": (400, "API request error"),
    "0204": (400, "SSL protocol is not supported"),
    "0301": (401, "Incorrect IAM authentication information: verify aksk signature fail"),
    "0302": (403, "The IAM user is not authorized to access the API"),
    "0303": (401, "Incorrect app authentication information"),
    "0304": (403, "The app is not authorized to access the API"),
    "0305": (401, "Incorrect authentication information"),
    "0306": (403, "API access denied"),
    "0307": (401, "The token must be updated"),
    "0308": (
        429,
        "The throttling threshold has been reached: policy user over ratelimit,"
        "limit:10,time:1 second",
    ),
    "0310": (403, "The project is unavailable"),
    "0311": (401, "Incorrect debugging authentication information"),
    "0401": (403, "Unknown client IP address"),
    "0402": (403, "The IP address is not authorized to access the API"),
    "0404": (403, "Access to the backend IP address has been denied"),
    "0501": (405, "The app quota has been used up"),
    "0502": (405, "The app has been frozen"),
    "0601": (500, "Internal server error"),
    "0602": (400, "Bad request"),
    "0605": (500, "Domain name resolution failed"),
    "0606": (500, "Failed to load the API configurations"),
    "0607": (400, "The protocol is not supported"),
    "0608": (500, "Failed to obtain the admin token"),
    "0609": (500, "The VPC backend does not exist"),
    "0610": (502, "No backend available"),
    "0611": (500, "The backend port does not exist"),
    "0612": (500, "An API cannot call itself"),
    "0613": (503, "The IAM service is currently unavailable"),
    "0705": (500, "Backend signature calculation failed"),
    "0802": (403, "The IAM user is forbidden in the currently selected region"),
    "1009": (400, "AppKey or AppSecret is invalid"),
}

IAM: dict[str, tuple[int | None, str]] = {
    "0001": (401, "The request you have made requires authentication."),
    "0002": (403, "You are not authorized to perform the requested action."),
    "0003": (403, "Policy doesn't allow the action to be performed."),
    "0004": (404, "Could not find the object."),
    "0005": (409, "Conflict occurred attempting to store."),
    "0006": (500, "An unexpected error prevented the server from fulfilling your request."),
    "0007": (400, "Request parameter is invalid."),
    "0009": (400, "X-Subject-Token is invalid in the request."),
    "0011": (400, "Request body is invalid."),
    "0012": (429, "The throttling threshold has been reached: 60 times per 60 seconds."),
    "0020": (410, "Original auth failover to other regions, please auth downgrade."),
    "0061": (401, "The account is locked."),
    "0062": (401, "Incorrect password."),
    "0063": (401, "Access token authentication failed."),
    "0064": (401, "The IAM user does not have permission."),
    "0065": (401, "HUAWEI IDs registered in European countries cannot log in."),
    "0066": (401, "Token has expired."),
    "0067": (401, "Invalid token."),
    "0072": (400, "Request parameter is invalid."),
    "0073": (400, "Request body is invalid."),
    "0080": (403, "The user of the access key is disabled."),
    "0081": (403, "This user only supports console access, not programmatic access."),
    "0082": (403, "The user is disabled."),
    "0083": (403, "You do not have permission to access the private region."),
    "1104": (400, "The access key is barred."),
    "1105": (400, "The access key has expired."),
    "1106": (400, "The user of the access key was not found."),
    "1107": (400, "The access key is inactive."),
    "1108": (400, "The security token has expired."),
    "1109": (400, "The project of the access key was not found."),
}

# The shared API gateway uses the prefix APIGW., the dedicated API gateway APIG.; the numbers are
# the same.
FAMILIES = {"CBC": CBC, "APIGW": GATEWAY, "APIG": GATEWAY, "IAM": IAM}

_CODE = re.compile(r"(CBC|APIGW|APIG|IAM)\.(\d{1,10})")


def known(code: str) -> bool:
    """Whether a text has the form of a code of the four families. It need not be in the tables."""
    return _CODE.fullmatch(code) is not None


def code_answer(
    code: str,
    request_id: str,
    *,
    status: int | None = None,
    text: str | None = None,
    default_status: int = 400,
) -> Answer:
    """Return the answer with an error code, in the shape of the code's family.

    Args:
        code: The error code.
        request_id: The request id of the answer.
        status: The HTTP status; None for the status in the tables.
        text: The text; None for the text in the tables.
        default_status: The HTTP status if the tables have none.
    """
    family, _, number = code.partition(".")
    printed, meaning = FAMILIES.get(family, {}).get(number, (None, UNKNOWN_TEXT))
    document = {"error_msg": meaning if text is None else text, "error_code": code}
    if family.startswith("APIG"):
        document["request_id"] = request_id
    return json_answer(status or printed or default_status, document, code)
