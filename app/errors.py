"""The error catalogue (code, status, title, retry, fault, explanation) and `GatewayError`."""

from dataclasses import dataclass
from enum import Enum, StrEnum, unique


class Retry(StrEnum):
    """Whether and how the caller may repeat the request."""

    NEVER = "NEVER"
    AFTER_FIX = "AFTER_FIX"
    AFTER_DELAY = "AFTER_DELAY"
    SAME_KEY = "SAME_KEY"
    CONTACT_OPERATOR = "CONTACT_OPERATOR"


class Fault(StrEnum):
    """Who must act: the caller, the operator of the gateway, or Huawei."""

    CALLER = "CALLER"
    GATEWAY = "GATEWAY"
    UPSTREAM = "UPSTREAM"


NEVER, AFTER_FIX, AFTER_DELAY, SAME_KEY, CONTACT_OPERATOR = Retry
CALLER, GATEWAY, UPSTREAM = Fault
WAITING = frozenset({AFTER_DELAY, SAME_KEY})  # problems that name a pause
USUAL_PAUSE = 3.0  # seconds; Huawei's text on APIGW.0308 advises 2 to 5


@unique
class ErrorCode(Enum):
    """Every failure that a caller can see. The name is the code; the value is the entry.

    `retry` is for reads, `write_retry` for writes. They differ where Huawei may have processed a
    write. `pause` is the number of seconds before a repeat if the failure itself names none;
    it is None if no wait is advised.
    """

    MALFORMED_JSON = (
        400,
        "The body is not JSON",
        AFTER_FIX,
        CALLER,
        "The request body is not a JSON document in UTF-8. Nothing was sent to Huawei. Correct "
        "the body and send it again.",
    )
    VALIDATION_FAILED = (
        422,
        "The request breaks a rule of the contract",
        AFTER_FIX,
        CALLER,
        "One or more fields of the body, query parameters or headers break a rule. `errors` names "
        "each field by an RFC 6901 `pointer` or each `parameter` by its name, the rule that it "
        "breaks and what the rule requires; it does not repeat your values. Nothing was sent to "
        "Huawei.",
    )
    UNSUPPORTED_MEDIA_TYPE = (
        415,
        "The body has the wrong media type",
        AFTER_FIX,
        CALLER,
        "This operation does not accept the `Content-Type` or the `Content-Encoding` of the "
        "request. Most operations accept `application/json`; an upload accepts the bytes of the "
        "file, and no form. No operation accepts a compressed body. Nothing was sent to Huawei.",
    )
    PAYLOAD_TOO_LARGE = (
        413,
        "The body is too large",
        AFTER_FIX,
        CALLER,
        "A JSON body may have 64 KiB at most, an attachment 10 MB. Nothing was sent to Huawei.",
    )
    NOT_FOUND = (
        404,
        "There is nothing at this path",
        NEVER,
        CALLER,
        "No operation of the gateway has this path. A customer id that is not 1 to 64 letters, "
        "digits, `_` or `-` ends here too. This says nothing about a customer at Huawei: an "
        "unknown customer is CUSTOMER_NOT_FOUND.",
    )
    METHOD_NOT_ALLOWED = (
        405,
        "The path does not support this method",
        NEVER,
        CALLER,
        "The path exists, but not with this HTTP method. The `Allow` header lists the methods.",
    )
    NOT_ACCEPTABLE = (
        406,
        "The answer exists in no media type that the request accepts",
        AFTER_FIX,
        CALLER,
        "The `Accept` header allows no media type of this operation. `detail` names those that it "
        "has. Nothing was sent to Huawei.",
    )
    BAD_REQUEST = (
        400,
        "The request is not valid HTTP",
        AFTER_FIX,
        CALLER,
        "The request is not valid HTTP, one of its headers breaks a rule of the contract, or a "
        "header that the operation requires is missing. Nothing was sent to Huawei.",
    )
    UNAUTHENTICATED = (
        401,
        "The gateway does not know this caller",
        AFTER_FIX,
        CALLER,
        "The request has no `Authorization: Bearer` credential, or its credential belongs to no "
        "caller: the key is unknown, or the token has expired or is meant for another service. "
        "Send your key or a fresh token. This is about your own credential for the gateway, "
        "never about the partner's key for Huawei.",
    )
    FORBIDDEN = (
        403,
        "The caller may not do this",
        NEVER,
        CALLER,
        "The gateway knows the caller, but the caller's scopes, accounts or customers do not "
        "include this request. If you need access, ask the operator of the gateway.",
    )
    IDENTITY_UNAVAILABLE = (
        503,
        "The caller's token cannot be checked now",
        AFTER_DELAY,
        GATEWAY,
        "The gateway cannot read the present keys of the token's issuer, so it cannot check the "
        "token. Nothing was sent to Huawei. Repeat after `Retry-After`. If the problem lasts, "
        "the operator must check the issuer's key set.",
    )
    RATE_LIMITED = (
        429,
        "The caller has exceeded its rate",
        AFTER_DELAY,
        CALLER,
        "The operator grants this caller a rate of requests. Nothing was sent to Huawei. Repeat "
        "after `Retry-After`.",
    )
    EVIDENCE_REQUIRED = (
        422,
        "The verification needs attachments",
        AFTER_FIX,
        CALLER,
        "No backend of this account accepts the verification without attachments, or the number "
        "of attachments is wrong for the document type. `GET /v1/capabilities` lists the "
        "attachments of each document type in their order.",
    )
    DOCUMENT_TYPE_UNSUPPORTED = (
        422,
        "The document type is not accepted",
        AFTER_FIX,
        CALLER,
        "No backend of this account accepts this document type. `GET /v1/capabilities` lists "
        "the document types that the account accepts now.",
    )
    IDEMPOTENCY_KEY_REUSED = (
        422,
        "The Idempotency-Key belongs to another request",
        NEVER,
        CALLER,
        "The same `Idempotency-Key` was used before for this operation and customer with "
        "another body. Use a new key for a new request.",
    )
    IDEMPOTENCY_KEY_IN_FLIGHT = (
        409,
        "The same request is in progress",
        SAME_KEY,
        CALLER,
        "A request with this `Idempotency-Key` is in progress. Repeat with the same key after "
        "`Retry-After`.",
    )
    CUSTOMER_WRITE_IN_PROGRESS = (
        409,
        "Another write for this customer is in progress",
        AFTER_DELAY,
        CALLER,
        "The gateway sends one write at a time for a customer, and another write is in "
        "progress. Nothing was sent for this request. Repeat it after `Retry-After`.",
    )
    UPSTREAM_REJECTED_FIELDS = (
        422,
        "Huawei refuses a field",
        AFTER_FIX,
        CALLER,
        "The body follows the rules that the gateway knows, but Huawei calls a field invalid "
        "and does not reliably say which: `errors` names it where Huawei does. Check the document "
        "type, the number and the name.",
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
        "Associate it, then repeat.",
    )
    VERIFICATION_IN_PROGRESS = (
        409,
        "Huawei is verifying this customer itself",
        AFTER_DELAY,
        CALLER,
        "Huawei is verifying the customer now. Wait for the result (`GET "
        "/v1/customers/{customer_id}/verification`) before you decide what to do.",
        AFTER_DELAY,
        30.0,
    )
    CUSTOMER_KIND_MISMATCH = (
        409,
        "The customer is of the other kind",
        AFTER_FIX,
        CALLER,
        "Huawei has the customer on record as an enterprise where you submitted an individual, "
        "or the reverse. For an individual that became an enterprise, use enterprise-change.",
    )
    ALREADY_VERIFIED_OR_IN_REVIEW = (
        409,
        "The customer is already verified or in review",
        NEVER,
        CALLER,
        "Huawei accepts no new verification for this customer. `GET "
        "/v1/customers/{customer_id}/verification` tells which of the two it is.",
    )
    DOCUMENT_LIMIT_REACHED = (
        409,
        "The document is used by too many customers",
        NEVER,
        CALLER,
        "Huawei allows one document number for a few customers only, and this number has "
        "reached the limit.",
    )
    ATTEMPT_LIMIT_REACHED = (
        409,
        "The customer has been submitted too often",
        NEVER,
        CALLER,
        "Huawei accepts no further attempt for this customer for now.",
    )
    DOCUMENT_BLOCKED = (
        422,
        "Huawei has blocked the document",
        NEVER,
        CALLER,
        "Huawei has blocked the document number. Another attempt with it will not pass.",
    )
    VERIFICATION_FAILED = (
        422,
        "The verification did not pass",
        AFTER_FIX,
        CALLER,
        "Huawei compared the name with the document, and they do not match. Check both with the "
        "customer and submit again.",
    )
    FACE_MISMATCH = (
        422,
        "The face does not match the document",
        AFTER_FIX,
        CALLER,
        "Huawei compared the picture of the holder with the document, and they do not match.",
    )
    ATTACHMENT_TOO_LARGE = (
        422,
        "An attachment is too large",
        AFTER_FIX,
        CALLER,
        "Huawei refuses the size of an attachment. A file may have 10 MB at most.",
    )
    ATTACHMENT_FORMAT = (
        422,
        "The format of an attachment is not accepted",
        AFTER_FIX,
        CALLER,
        "An attachment must be jpg, jpeg, bmp, png, gif or pdf, by its name and by its content. "
        "A submission names an attachment as the upload answered it: the customer's id, a "
        "slash, the name. A caller that may use all customers may name another relative path, "
        "without `%`, `?`, `#`, `;`, `\\`, empty segments and dot segments.",
    )
    BUSINESS_PRECONDITION_FAILED = (
        409,
        "A business condition of Huawei is not met",
        AFTER_FIX,
        CALLER,
        "Huawei checked the customer before the verification, and a business condition is not "
        "met. Huawei's support can name the condition by the request id under `upstream`.",
    )
    MANUAL_HANDLING_REQUIRED = (
        422,
        "Huawei cannot review this customer now",
        CONTACT_OPERATOR,
        CALLER,
        "Huawei asks the partner to contact its account manager about this customer.",
    )
    IDENTITY_RISK = (
        422,
        "Huawei sees a risk in the identity",
        CONTACT_OPERATOR,
        CALLER,
        "Huawei calls the identity abnormal or a compliance risk, and asks the partner to open "
        "a ticket.",
    )
    ACCOUNT_NAME_TAKEN = (
        409,
        "Another Huawei account has this name",
        AFTER_FIX,
        CALLER,
        "Names of Huawei accounts are unique over all customers of Huawei. Choose another "
        "`account_name`. `POST /v1/registrations/check` tells whether a name is free.",
    )
    EMAIL_TAKEN = (
        409,
        "Another Huawei account has this e-mail address",
        AFTER_FIX,
        CALLER,
        "The e-mail address belongs to an account at Huawei, or Huawei has registered it in "
        "advance. Ask the customer for another address. `POST /v1/registrations/check` tells "
        "whether an address is free.",
    )
    PARTNER_USER_ID_TAKEN = (
        409,
        "Another customer has this partner_user_id",
        AFTER_FIX,
        CALLER,
        "Huawei has a customer of this partner with the same `partner_user_id`. If it is the "
        "same customer, it exists already: `GET /v1/customers` lists it.",
    )
    CODE_WRONG = (
        422,
        "The verification code is wrong",
        AFTER_FIX,
        CALLER,
        "The code is not the one that Huawei mailed to this address. Ask the customer to type it "
        "again. Huawei stops accepting a code after a few wrong tries.",
    )
    CODE_EXPIRED = (
        422,
        "The verification code is no longer valid",
        AFTER_FIX,
        CALLER,
        "The code has expired, was used, or was tried too often. Send a new code with `POST "
        "/v1/registrations/code`.",
    )
    SEND_LIMIT_REACHED = (
        409,
        "Huawei sends no more verification codes for the moment",
        AFTER_DELAY,
        CALLER,
        "Huawei limits the verification codes, to 15 an hour and 60 a day by its page for China. "
        "Huawei does not say whether the limit is for an address or for the partner.",
        AFTER_DELAY,
        3600.0,
    )
    ASSOCIATION_PENDING = (
        409,
        "The customer is not associated with the partner yet",
        AFTER_DELAY,
        CALLER,
        "Huawei has created the account, and associates it with the partner afterwards. Repeat "
        "`GET /v1/customers/{customer_id}` until it finds the customer; `Prefer: wait=25` waits "
        "for it. The gateway knows for a day which customers it created.",
        AFTER_DELAY,
        30.0,
    )
    ASSOCIATION_TYPE_WRONG = (
        409,
        "The customer is not a reseller customer",
        NEVER,
        CALLER,
        "Budgets and freezes exist for customers that are associated with the partner as a "
        "reseller. This customer is associated in another way: see `association` of `GET "
        "/v1/customers/{customer_id}`.",
    )
    BUDGET_NOT_ALLOWED = (
        409,
        "Huawei does not allow the budget",
        CONTACT_OPERATOR,
        CALLER,
        "The quota of the reseller is too small for this budget, or the reseller may not set "
        "budgets. The distributor grants both.",
    )
    RESELLER_NOT_ALLOWED = (
        409,
        "The partner has no right over the reseller",
        CONTACT_OPERATOR,
        CALLER,
        "The customer belongs to a reseller over which the partner account has no right.",
    )
    ORDER_NOT_FOUND = (
        404,
        "The order does not exist at Huawei",
        NEVER,
        CALLER,
        "Huawei knows no order with this id under this partner account, or it is the order of a "
        "customer that you may not access. A list of refunds also ends here if the order is not "
        "the customer's, or neither cancels nor downgrades a resource.",
    )
    BILL_NOT_READY = (
        404,
        "Huawei does not have the bill of this month yet",
        AFTER_DELAY,
        CALLER,
        "Huawei makes the bill of a month by 12:00 in Beijing (04:00 UTC) on the 5th of the "
        "following month. Repeat after `Retry-After`.",
        AFTER_DELAY,
        3600.0,
    )
    PARTNER_NOT_ENABLED = (
        503,
        "The partner account is not enabled for this",
        CONTACT_OPERATOR,
        GATEWAY,
        "The partner account has not joined the programme, has not been granted the operation, "
        "has real-name attachments switched off at Huawei, or has no usable bucket for attachments "
        "or bill files: no bucket is configured, or OBS refuses it. Your request was fine.",
    )
    UPSTREAM_ACCESS_DENIED = (
        503,
        "Huawei refuses the gateway's own credential",
        CONTACT_OPERATOR,
        GATEWAY,
        "Huawei does not accept the gateway's key or token for this operation, or the gateway "
        "has no usable key or token. Your own key and request were fine.",
    )
    ACCESS_KEY_LOCKED = (
        503,
        "The partner's access key is locked for a while",
        AFTER_DELAY,
        GATEWAY,
        "Huawei locks an access key for five minutes after several refused signatures. The "
        "gateway sends nothing with a locked key. Repeat after `Retry-After`.",
        AFTER_DELAY,
        300.0,
    )
    CLOCK_SKEWED = (
        503,
        "The gateway's clock is off",
        CONTACT_OPERATOR,
        GATEWAY,
        "Huawei refuses a signature whose time is more than 15 minutes off. The operator must "
        "set the clock of the gateway's machine, or renew its temporary key pair. The gateway "
        "compares its clock with Huawei's every five seconds, so that requests succeed soon after "
        "the clock is right.",
    )
    UPSTREAM_THROTTLED = (
        503,
        "Huawei allows no more calls for the moment",
        AFTER_DELAY,
        UPSTREAM,
        "Huawei allows a number of calls a second for all callers together. Huawei did not "
        "process the request. Repeat after `Retry-After`.",
    )
    UPSTREAM_UNREACHABLE = (
        503,
        "Huawei cannot be reached",
        AFTER_DELAY,
        UPSTREAM,
        "The gateway could not connect to Huawei. Nothing was sent: it is safe to repeat the "
        "request.",
    )
    CIRCUIT_OPEN = (
        503,
        "Calls to Huawei are paused",
        AFTER_DELAY,
        UPSTREAM,
        "Several calls to Huawei failed in a row, so the gateway waits before it calls Huawei "
        "again. Nothing was sent: it is safe to repeat the request after `Retry-After`.",
        AFTER_DELAY,
        10.0,
    )
    OVERLOADED = (
        503,
        "Too many requests are waiting",
        AFTER_DELAY,
        GATEWAY,
        "The request waited for Huawei's quota until its deadline, or too many of your requests or "
        "downloads, or of the uploads without `Content-Length`, are in progress. Nothing was sent: "
        "it is safe to repeat the request after `Retry-After`.",
    )
    DEADLINE_EXCEEDED = (
        504,
        "The deadline passed before anything was sent",
        AFTER_DELAY,
        CALLER,
        "The time that the request may take was used up before the gateway could send it. "
        "Nothing took effect at Huawei: it is safe to repeat the request.",
    )
    OUTCOME_UNKNOWN = (
        504,
        "It is not known whether Huawei processed the request",
        SAME_KEY,
        UPSTREAM,
        "The gateway sent the request, but no usable answer came back; or its record of an earlier "
        "try may be lost, and the customer's state may be the effect of that try. The request may "
        "have taken effect. Repeat it with the same `Idempotency-Key`, or read what it changes, as "
        "with `GET /v1/customers/{customer_id}/verification`. Do not repeat it with a new key. "
        "Where an operation has no key, `detail` says how to find out what happened.",
    )
    UPSTREAM_ERROR = (
        502,
        "Huawei failed",
        AFTER_DELAY,
        UPSTREAM,
        "Huawei reports an error of its own, or did not answer a read in time. You may repeat a "
        "read. Huawei may have processed a write: repeat it with the same `Idempotency-Key`.",
        SAME_KEY,
    )
    UPSTREAM_MALFORMED = (
        502,
        "Huawei's answer cannot be read",
        AFTER_DELAY,
        UPSTREAM,
        "Huawei, or a proxy in between, sent an answer that the gateway cannot read. You may "
        "repeat a read. Repeat a write with the same `Idempotency-Key` only.",
        SAME_KEY,
    )
    UPSTREAM_UNMAPPED = (
        502,
        "Huawei answered with a code the gateway does not know",
        AFTER_DELAY,
        UPSTREAM,
        "`upstream.code` holds the code. The operator of the gateway sees the code in the logs "
        "and metrics, and can have it added to the table. Repeat a write with the same "
        "`Idempotency-Key` only.",
        SAME_KEY,
        60.0,
    )
    EVENTS_GONE = (
        410,
        "Events after this id are no longer kept",
        AFTER_FIX,
        CALLER,
        "`after` is the id of an event that the gateway does not keep any more, or never had. "
        "Events are kept for 7 days, and up to a number; a restart without Redis drops them all, "
        "and so does an emptied Redis. You may have missed events. Keep `next` of this problem, "
        "look once at each of your customers, and then go on with `next` as `after`.",
    )
    EVENTS_UNAVAILABLE = (
        503,
        "The events cannot be read now",
        AFTER_DELAY,
        GATEWAY,
        "The gateway cannot reach its Redis, which holds the events. Repeat the request with the "
        "same `after`, after `Retry-After`: you miss no event.",
    )
    LEGACY_API_RETIRED = (
        502,
        "Huawei has switched the legacy API off",
        CONTACT_OPERATOR,
        GATEWAY,
        "Huawei says that its legacy API is gone, and only that API accepts this submission as "
        "it is. Huawei processed nothing. The operator must move the account to the review "
        "backend, or tell you what that backend needs. `?validate_only=true` lists it too.",
    )
    LEGACY_API_UNAVAILABLE = (
        503,
        "Huawei does not serve the legacy API at the moment",
        AFTER_DELAY,
        GATEWAY,
        "Huawei says that its legacy API is gone, but has not said so often enough to prove it, "
        "and only that API accepts this submission as it is. Huawei processed nothing: it is "
        "safe to repeat the request after `Retry-After`. The gateway asks Huawei again within a "
        "minute. Once it is proven, the answer becomes LEGACY_API_RETIRED.",
    )
    INTERNAL_ERROR = (
        500,
        "The gateway failed",
        AFTER_DELAY,
        GATEWAY,
        "This is a bug in the gateway. Report it with the `request_id`. You may repeat a read. "
        "Repeat a write with the same `Idempotency-Key` only.",
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

    @property
    def is_refusal(self) -> bool:
        """Whether Huawei refused the call because of the customer or of what was sent."""
        return self.fault is Fault.CALLER and self is not ErrorCode.DEADLINE_EXCEEDED


@dataclass(frozen=True, slots=True)
class FieldError:
    """A broken rule: where it is broken, the rule's code, and its requirement.

    Args:
        pointer: The RFC 6901 pointer to the field of the body; None if a parameter breaks the rule.
        code: The rule's code.
        detail: What the rule requires.
        parameter: The name of the parameter of the path or query, or of the header; empty for the
            query as a whole.
    """

    pointer: str | None
    code: str
    detail: str
    parameter: str | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """The parts of an upstream answer that a caller may see: code, HTTP status, request id."""

    code: str | None = None
    status: int | None = None
    request_id: str | None = None


class GatewayError(Exception):
    """The exception that becomes a problem: an entry of the catalogue with its details.

    Args:
        code: The entry.
        detail: One sentence about this failure in our own words, never input or upstream text. None
            means the entry's title.
        upstream: Code, status and request id of the upstream answer; None without an answer.
        retry_after: Seconds until a repeat makes sense (`Retry-After`). None means the entry's
            pause.
        errors: The broken rules.
        write: Whether the failed operation writes: chooses `write_retry` over `retry`. None
            means that the HTTP method decides.
        retry: Replaces the entry's, for an operation that cannot be repeated as others can.
        next: The id of an event, after which a consumer of events goes on.
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
        retry: Retry | None = None,
        next: str | None = None,
    ) -> None:
        super().__init__(code.name)
        self.code = code
        self.detail = detail or f"{code.title}."
        self.upstream = upstream
        self.retry_after = retry_after
        self.errors = errors
        self.write = write
        self.retry = retry
        self.next = next
        self.backend: str | None = None  # the backend of the failed submission
