"""The error catalogue (code, status, title, retry, fault, explanation) and the one exception."""

from dataclasses import dataclass
from enum import Enum, StrEnum, unique


class Retry(StrEnum):
    """Whether, and how, the caller may repeat the request."""

    NEVER = "NEVER"
    AFTER_FIX = "AFTER_FIX"
    AFTER_DELAY = "AFTER_DELAY"
    SAME_KEY = "SAME_KEY"
    CONTACT_OPERATOR = "CONTACT_OPERATOR"


class Fault(StrEnum):
    """Whose turn it is: the caller's, the gateway's operator's, or Huawei's."""

    CALLER = "CALLER"
    GATEWAY = "GATEWAY"
    UPSTREAM = "UPSTREAM"


NEVER, AFTER_FIX, AFTER_DELAY, SAME_KEY, CONTACT_OPERATOR = Retry
CALLER, GATEWAY, UPSTREAM = Fault
WAITING = frozenset({AFTER_DELAY, SAME_KEY})  # say how long
USUAL_PAUSE = 3.0  # seconds; Huawei's text on APIGW.0308 advises 2 to 5


@unique
class ErrorCode(Enum):
    """Every failure a caller can see. The name is the code; the value is its catalogue entry.

    `retry` holds for reads and writes alike, except where `write_retry` says otherwise: a write
    that failed in an unclear way may have been processed. `pause` is how many seconds to wait
    before a repeat, unless the failure itself says so; None where the advice is not to wait.
    """

    MALFORMED_JSON = (
        400,
        "The body is not JSON",
        AFTER_FIX,
        CALLER,
        "The request body could not be read as a JSON document in UTF-8. Nothing was sent to "
        "Huawei. Correct the body and send it again.",
    )
    VALIDATION_FAILED = (
        422,
        "The body breaks a rule of the contract",
        AFTER_FIX,
        CALLER,
        "The body is JSON, but one or more fields break a rule. `errors` names each field by an "
        "RFC 6901 pointer, the rule it breaks and what the rule asks for; the values you sent are "
        "not repeated. Nothing was sent to Huawei.",
    )
    UNSUPPORTED_MEDIA_TYPE = (
        415,
        "The body has the wrong media type",
        AFTER_FIX,
        CALLER,
        "The `Content-Type` of the request is not one that this operation takes; most take "
        "`application/json`. Nothing was sent to Huawei.",
    )
    PAYLOAD_TOO_LARGE = (
        413,
        "The body is too large",
        AFTER_FIX,
        CALLER,
        "A JSON body may have 64 KiB and an attachment 10 MB. Nothing was sent to Huawei.",
    )
    NOT_FOUND = (
        404,
        "There is nothing at this path",
        NEVER,
        CALLER,
        "No operation of the gateway has this path. A customer id that is not 1 to 64 letters, "
        "digits, `_` or `-` leads here too. This says nothing about a customer at Huawei: that "
        "would be CUSTOMER_NOT_FOUND.",
    )
    METHOD_NOT_ALLOWED = (
        405,
        "The path does not take this method",
        NEVER,
        CALLER,
        "The path exists, but not with this HTTP method. The `Allow` header lists the methods.",
    )
    BAD_REQUEST = (
        400,
        "The request is not proper HTTP",
        AFTER_FIX,
        CALLER,
        "The request could not be understood as HTTP, or one of its headers breaks the rules of "
        "the contract. Nothing was sent to Huawei.",
    )
    UNAUTHENTICATED = (
        401,
        "The gateway does not know this caller",
        AFTER_FIX,
        CALLER,
        "The request has no `Authorization: Bearer` credential, or one that belongs to no caller: "
        "an unknown key, or a token that has expired or is meant for somebody else. Send your key, "
        "or a fresh token. It is about your own credential for the gateway, never about the "
        "partner's key for Huawei.",
    )
    FORBIDDEN = (
        403,
        "The caller may not do this",
        NEVER,
        CALLER,
        "The caller is known, but its scopes, its accounts or its customers do not include this "
        "request. Ask the operator of the gateway for the right, if you should have it.",
    )
    IDENTITY_UNAVAILABLE = (
        503,
        "The caller's token cannot be judged now",
        AFTER_DELAY,
        GATEWAY,
        "The keys of the token's issuer could not be read yet, so that the gateway cannot tell "
        "whose token it is. Nothing was sent to Huawei. Repeat after the time that `Retry-After` "
        "tells; if it lasts, the operator has to look at the issuer's key set.",
    )
    RATE_LIMITED = (
        429,
        "The caller has used up its own rate",
        AFTER_DELAY,
        CALLER,
        "The gateway grants each caller a number of requests. Wait as long as `Retry-After` says. "
        "Nothing was sent to Huawei.",
    )
    EVIDENCE_REQUIRED = (
        422,
        "The verification needs attachments",
        AFTER_FIX,
        CALLER,
        "No backend of this account takes the verification without attachments, or there are not "
        "as many as the document type needs. `GET /v1/capabilities` lists how many each needs, and "
        "in which order.",
    )
    DOCUMENT_TYPE_UNSUPPORTED = (
        422,
        "The document type is not taken",
        AFTER_FIX,
        CALLER,
        "No backend of this account takes this type of document. `GET /v1/capabilities` lists the "
        "types that are taken now.",
    )
    IDEMPOTENCY_KEY_REUSED = (
        422,
        "The Idempotency-Key belongs to another request",
        NEVER,
        CALLER,
        "The same `Idempotency-Key` was used before for this operation and customer with another "
        "body. A key names one request: take a new key for a new request.",
    )
    IDEMPOTENCY_KEY_IN_FLIGHT = (
        409,
        "The same request is under way",
        SAME_KEY,
        CALLER,
        "A request with this `Idempotency-Key` is under way. Repeat with the same key after "
        "`Retry-After`.",
    )
    CUSTOMER_WRITE_IN_PROGRESS = (
        409,
        "Another write for this customer is under way",
        AFTER_DELAY,
        CALLER,
        "The gateway sends one write at a time for a customer, and another one is under way. "
        "Nothing was sent for this request. Repeat it after `Retry-After`.",
    )
    UPSTREAM_REJECTED_FIELDS = (
        422,
        "Huawei refuses a field",
        AFTER_FIX,
        CALLER,
        "The body passes the rules that the gateway knows, but Huawei calls one of its fields "
        "invalid without a reliable word on which one. Check document type, number and name.",
    )
    CUSTOMER_NOT_FOUND = (
        404,
        "The customer does not exist at Huawei",
        NEVER,
        CALLER,
        "Huawei knows no customer with this id under this partner account.",
    )
    CUSTOMER_NOT_ASSOCIATED = (
        409,
        "The customer is not associated with the partner",
        AFTER_FIX,
        CALLER,
        "The Huawei account exists, but is not (or no longer) associated with the partner. "
        "Associate it first, then repeat.",
    )
    VERIFICATION_IN_PROGRESS = (
        409,
        "Huawei is verifying this customer itself",
        AFTER_DELAY,
        CALLER,
        "Huawei is verifying the customer at this moment. Wait for the result "
        "(`GET /v1/customers/{customer_id}/verification`) before you decide what to do.",
        AFTER_DELAY,
        30.0,
    )
    CUSTOMER_KIND_MISMATCH = (
        409,
        "The customer is of the other kind",
        AFTER_FIX,
        CALLER,
        "Huawei has the customer on record as an enterprise where an individual was submitted, or "
        "the reverse. For an individual that became an enterprise use enterprise-change.",
    )
    ALREADY_VERIFIED_OR_IN_REVIEW = (
        409,
        "The customer is verified or in review already",
        NEVER,
        CALLER,
        "Huawei takes no new verification for this customer. Read "
        "`GET /v1/customers/{customer_id}/verification` to see which of the two it is.",
    )
    DOCUMENT_LIMIT_REACHED = (
        409,
        "The document is used by too many customers",
        NEVER,
        CALLER,
        "Huawei allows one document number for a few customers only, and this one has reached "
        "that number.",
    )
    ATTEMPT_LIMIT_REACHED = (
        409,
        "The customer has been submitted too often",
        NEVER,
        CALLER,
        "Huawei takes no further attempt for this customer for now.",
    )
    DOCUMENT_BLOCKED = (
        422,
        "Huawei has barred the document",
        NEVER,
        CALLER,
        "The document number is on a list of Huawei's. Another attempt with it will not pass.",
    )
    VERIFICATION_FAILED = (
        422,
        "The verification did not pass",
        AFTER_FIX,
        CALLER,
        "Huawei compared the name and the document and they do not match. Check both with the "
        "customer and submit again.",
    )
    FACE_MISMATCH = (
        422,
        "The face does not match the document",
        AFTER_FIX,
        CALLER,
        "Huawei compared the picture of the holder with the document and they do not match.",
    )
    ATTACHMENT_TOO_LARGE = (
        422,
        "An attachment is too large",
        AFTER_FIX,
        CALLER,
        "Huawei refuses the size of one of the attachments; 10 MB a file are allowed.",
    )
    ATTACHMENT_FORMAT = (
        422,
        "An attachment is not of a format that is taken",
        AFTER_FIX,
        CALLER,
        "An attachment must be jpg, jpeg, bmp, png, gif or pdf, by its name and by its content. A "
        "submission names it as the upload answered it: the customer's id, a slash, the name. A "
        "caller that is not held to some customers may name another relative path, without "
        "`%`, `?`, `#`, `;`, `\\`, empty and dot segments.",
    )
    BUSINESS_PRECONDITION_FAILED = (
        409,
        "A condition of Huawei's is not met",
        AFTER_FIX,
        CALLER,
        "Huawei checked the customer before the verification and a business condition is not "
        "met. Huawei's support can say which, by the request id under `upstream`.",
    )
    MANUAL_HANDLING_REQUIRED = (
        422,
        "Huawei cannot review this by itself now",
        CONTACT_OPERATOR,
        CALLER,
        "Huawei asks that the partner's account manager be contacted about this customer.",
    )
    IDENTITY_RISK = (
        422,
        "Huawei sees a risk in the identity",
        CONTACT_OPERATOR,
        CALLER,
        "Huawei calls the identity abnormal or a compliance risk and asks for a ticket.",
    )
    PARTNER_NOT_ENABLED = (
        503,
        "The partner account is not enabled for this",
        CONTACT_OPERATOR,
        GATEWAY,
        "The partner account has not joined the programme, has not been granted the operation, "
        "has real-name attachments switched off at Huawei, or has no attachment bucket that the "
        "gateway can use: none is configured, or OBS refuses it. Your request was fine.",
    )
    UPSTREAM_ACCESS_DENIED = (
        503,
        "Huawei refuses the gateway's own credential",
        CONTACT_OPERATOR,
        GATEWAY,
        "Huawei does not accept, or not for this operation, the key or token that the gateway "
        "holds, or the gateway has none to use. Your own key and request were fine.",
    )
    ACCESS_KEY_LOCKED = (
        503,
        "The partner's access key is locked for a while",
        AFTER_DELAY,
        GATEWAY,
        "After several refused signatures Huawei locks an access key for five minutes. The "
        "gateway sends nothing with it in that time. Repeat after `Retry-After`.",
        AFTER_DELAY,
        300.0,
    )
    CLOCK_SKEWED = (
        503,
        "The gateway's clock is off",
        CONTACT_OPERATOR,
        GATEWAY,
        "Huawei refuses signatures whose time is more than 15 minutes off. The clock of the "
        "gateway's machine must be set, or its temporary key renewed.",
    )
    UPSTREAM_THROTTLED = (
        503,
        "Huawei allows no more calls for the moment",
        AFTER_DELAY,
        UPSTREAM,
        "Huawei allows a number of calls a second for all callers together. The request was not "
        "processed. Repeat after `Retry-After`.",
    )
    UPSTREAM_UNREACHABLE = (
        503,
        "Huawei cannot be reached",
        AFTER_DELAY,
        UPSTREAM,
        "No connection to Huawei could be made. Nothing was sent: repeating is safe.",
    )
    CIRCUIT_OPEN = (
        503,
        "Calls to Huawei are paused",
        AFTER_DELAY,
        UPSTREAM,
        "Huawei failed several times in a row, so the gateway waits before it tries again. "
        "Nothing was sent: repeating after `Retry-After` is safe.",
        AFTER_DELAY,
        10.0,
    )
    OVERLOADED = (
        503,
        "Too many requests are waiting",
        AFTER_DELAY,
        GATEWAY,
        "The request waited its turn for Huawei's quota as long as its deadline allowed. Nothing "
        "was sent: repeating after `Retry-After` is safe.",
    )
    DEADLINE_EXCEEDED = (
        504,
        "The deadline ended before anything was sent",
        AFTER_DELAY,
        CALLER,
        "The time that the request may take was used up before it could be sent. Nothing was "
        "sent: repeating is safe.",
    )
    OUTCOME_UNKNOWN = (
        504,
        "It is not known whether Huawei processed the request",
        SAME_KEY,
        UPSTREAM,
        "The request was sent, but no usable answer came back. It may have taken effect. Read "
        "`GET /v1/customers/{customer_id}/verification`, or repeat the request with the same "
        "`Idempotency-Key`; never repeat it blindly with a new one.",
    )
    UPSTREAM_ERROR = (
        502,
        "Huawei failed",
        AFTER_DELAY,
        UPSTREAM,
        "Huawei reports an error of its own, or did not answer a read in time. A read may be "
        "repeated; a write may have been processed: repeat it with the same `Idempotency-Key`.",
        SAME_KEY,
    )
    UPSTREAM_MALFORMED = (
        502,
        "Huawei's answer cannot be read",
        AFTER_DELAY,
        UPSTREAM,
        "Huawei, or something on the way, answered with something that is not a proper answer. "
        "A read may be repeated; repeat a write with the same `Idempotency-Key` only.",
        SAME_KEY,
    )
    UPSTREAM_UNMAPPED = (
        502,
        "Huawei answered with a code the gateway does not know",
        AFTER_DELAY,
        UPSTREAM,
        "The code is under `upstream.code`. The operator of the gateway sees it in the logs and "
        "metrics and can have it added to the table. Repeat a write with the same "
        "`Idempotency-Key` only.",
        SAME_KEY,
        60.0,
    )
    LEGACY_API_RETIRED = (
        502,
        "Huawei has switched the legacy API off",
        CONTACT_OPERATOR,
        GATEWAY,
        "Huawei says that its legacy API is gone, and only that API accepts this submission as it "
        "is. Nothing was processed. The operator must act: move the account to the review backend, "
        "or tell you what that one needs. `?validate_only=true` names it too.",
    )
    LEGACY_API_UNAVAILABLE = (
        503,
        "Huawei does not serve the legacy API at the moment",
        AFTER_DELAY,
        GATEWAY,
        "Huawei says that its legacy API is not there, but has not said it often enough to be "
        "believed for good, and only that API accepts this submission as it is. Nothing was "
        "processed: repeating after `Retry-After` is safe. The gateway asks Huawei again within a "
        "minute; if the API is gone for good, the answer becomes LEGACY_API_RETIRED.",
    )
    INTERNAL_ERROR = (
        500,
        "The gateway failed",
        AFTER_DELAY,
        GATEWAY,
        "This is a bug of the gateway's. Report it with the `request_id`. A read may be repeated; "
        "repeat a write with the same `Idempotency-Key` only.",
        SAME_KEY,
    )

    def __init__(
        self,
        status: int,
        title: str,
        retry: Retry,
        fault: Fault,
        explanation: str,
        write_retry: Retry | None = None,
        pause: float = USUAL_PAUSE,
    ) -> None:
        self.status = status
        self.title = title
        self.retry = retry
        self.fault = fault
        self.explanation = explanation
        self.write_retry = write_retry or retry
        self.pause = pause if {self.retry, self.write_retry} & WAITING else None


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule: an RFC 6901 pointer to the field, the rule's code, and what it asks for."""

    pointer: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """What may be told of an upstream answer: its code, HTTP status and request id, no text."""

    code: str | None = None
    status: int | None = None
    request_id: str | None = None


class GatewayError(Exception):
    """The only failure that crosses the gateway: an entry of the catalogue and its circumstances.

    Args:
        code: The entry.
        detail: One sentence of ours about this occurrence; never input or upstream text.
            The entry's title where there is nothing to add.
        upstream: What upstream said, if it answered.
        retry_after: Seconds until a repeat makes sense (`Retry-After`); the entry's pause if
            there is nothing to add.
        errors: The fields at fault.
        write: Whether the failed operation writes, which decides the advice on repeating.
            None means that whoever answers decides (by the HTTP method).
    """

    def __init__(
        self,
        code: ErrorCode,
        detail: str | None = None,
        *,
        upstream: Upstream | None = None,
        retry_after: float | None = None,
        errors: tuple[FieldError, ...] = (),
        write: bool | None = None,
    ) -> None:
        super().__init__(code.name)
        self.code = code
        self.detail = detail or f"{code.title}."
        self.upstream = upstream
        self.retry_after = retry_after
        self.errors = errors
        self.write = write
        self.backend: str | None = None  # that the failed submission went to
