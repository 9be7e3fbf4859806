"""The answers of OBS, and what its error codes mean.

Sources: the OBS API reference (obs_04_0115 error codes) and the OBS FAQ (obs_faq_120530 success).
"""

import re
from collections.abc import Mapping

from app.errors import ErrorCode, GatewayError, Upstream
from app.huawei.answer import Answer, request_id
from app.huawei.codes import STATUSES
from app.huawei.pacing.pause import pause
from app.huawei.transport import Reply

MISSING = "NoSuchKey"  # there is no such object

# The codes that a call can get, from the table in obs_04_0115. AccountProblem and FrozenUserId
# are printed in the SDKs' tables only (obs_28_1601), VirtualHostDomainRequired in
# obs_errorcode_0014. AuthorizationHeaderMalformed is S3's.
CODES: Mapping[str, ErrorCode] = {
    # The key
    "AccessDenied": ErrorCode.UPSTREAM_ACCESS_DENIED,
    "AuthorizationHeaderMalformed": ErrorCode.UPSTREAM_ACCESS_DENIED,  # usually a wrong region
    "InvalidAccessKeyId": ErrorCode.UPSTREAM_ACCESS_DENIED,
    "RequestTimeTooSkewed": ErrorCode.CLOCK_SKEWED,
    "SignatureDoesNotMatch": ErrorCode.UPSTREAM_ACCESS_DENIED,
    "TooManyWrongSignature": ErrorCode.UPSTREAM_ACCESS_DENIED,  # blocked; needs another key
    # The account that owns the bucket
    "AccountProblem": ErrorCode.PARTNER_NOT_ENABLED,  # expired or frozen
    "DeregisterUserId": ErrorCode.PARTNER_NOT_ENABLED,
    "FrozenUserId": ErrorCode.PARTNER_NOT_ENABLED,
    "InArrearOrInsufficientBalance": ErrorCode.PARTNER_NOT_ENABLED,  # obs_errorcode_0007
    "NotSignedUp": ErrorCode.PARTNER_NOT_ENABLED,  # not registered with OBS
    "Unauthorized": ErrorCode.PARTNER_NOT_ENABLED,  # the account lacks real-name authentication
    # The bucket, or how the configuration names it
    "AllAccessDisabled": ErrorCode.PARTNER_NOT_ENABLED,  # the bucket's name is forbidden
    "BadDomainName": ErrorCode.PARTNER_NOT_ENABLED,
    "InsufficientStorageSpace": ErrorCode.PARTNER_NOT_ENABLED,  # the bucket's quota is used up
    "InvalidBucket": ErrorCode.PARTNER_NOT_ENABLED,
    "InvalidBucketName": ErrorCode.PARTNER_NOT_ENABLED,
    "KMS.DisabledException": ErrorCode.PARTNER_NOT_ENABLED,  # the bucket's encryption key
    "KMS.NotFoundException": ErrorCode.PARTNER_NOT_ENABLED,
    "NoSuchBucket": ErrorCode.PARTNER_NOT_ENABLED,
    "PermanentRedirect": ErrorCode.PARTNER_NOT_ENABLED,  # served at another endpoint only
    "RequestPayerDenied": ErrorCode.PARTNER_NOT_ENABLED,  # the bucket lets requesters pay
    "VirtualHostDomainRequired": ErrorCode.PARTNER_NOT_ENABLED,  # refuses `path`
    # Temporary failures
    "IncompleteBody": ErrorCode.UPSTREAM_ERROR,  # the network
    "InternalError": ErrorCode.UPSTREAM_ERROR,
    "OperationAborted": ErrorCode.UPSTREAM_ERROR,  # another request for the same object
    "RequestTimeout": ErrorCode.UPSTREAM_ERROR,  # OBS waited too long for content
    "ServiceUnavailable": ErrorCode.UPSTREAM_THROTTLED,
    "SlowDown": ErrorCode.UPSTREAM_THROTTLED,
    "TemporaryRedirect": ErrorCode.UPSTREAM_ERROR,  # until DNS resolves the bucket
    "TooManyRequests": ErrorCode.UPSTREAM_THROTTLED,
    # The content
    "EntityTooLarge": ErrorCode.PAYLOAD_TOO_LARGE,
}
_CODE = re.compile(rb"<Code>([A-Za-z.]{1,64})</Code>")


def read(reply: Reply, success: int) -> Answer:
    """Read the whole answer of OBS.

    Success is one status with an empty body. Any other 2xx, and a page that a proxy answers, is
    unreadable.
    """
    upstream = _upstream(reply)
    if reply.status == success and not reply.content:
        return Answer(upstream)
    return _failed(upstream, reply)


def read_object(reply: Reply) -> Answer:
    """Read the head of an object's download, or the answer in its place.

    The object is the field `object`. The answer that there is none is no failure, and has no field.
    """
    upstream = _upstream(reply)
    if reply.rest is not None:
        return Answer(upstream, {"object": reply.rest})
    if upstream.code == MISSING:
        return Answer(upstream)
    return _failed(upstream, reply)


def _upstream(reply: Reply) -> Upstream:
    found = _CODE.search(reply.content or b"") if reply.status >= 300 else None
    return Upstream(
        found[1].decode() if found else None,
        reply.status,
        request_id(reply.headers.get("x-amz-request-id")),
    )


def _failed(upstream: Upstream, reply: Reply) -> Answer:
    if upstream.code is None:
        code = STATUSES.get(reply.status, ErrorCode.UPSTREAM_MALFORMED)
    else:
        code = CODES.get(upstream.code, ErrorCode.UPSTREAM_UNMAPPED)
    paused = pause(code, reply.headers)
    failure = GatewayError(code, upstream=upstream, retry_after=paused, write=False)
    return Answer(upstream, failure=failure)
