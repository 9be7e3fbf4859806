"""The review backend: the four v2 calls, with attachments, and with a person who reviews.

Sources: mc_00017 to mc_00020 of api-bpconsole (2025-11 to 2026-01) and the models of
huaweicloudsdkbssintl 3.1.219. `legel_*` is Huawei's own spelling.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields
from marshmallow.validate import OneOf

from app.errors import ErrorCode, GatewayError
from app.fields import Part, Rule, Text, Texts, length, pattern
from app.partner_center.client import PartnerCenter
from app.partner_center.deadline import FLOOR, Errand
from app.partner_center.operation import Operation
from app.partner_center.signing import utc_now
from app.verification.backend import Draft, document_code
from app.verification.model import Kind, Status, Verification
from app.verification.pictures import FORMATS, MAX_PICTURES, PERSON
from app.verification.rules import has_letter
from app.verification.translation import UpstreamSchema

SUBMIT: Mapping[Kind, Operation] = {
    Kind.INDIVIDUAL: Operation(
        name="apply_individual",  # mc_00017
        method="POST",
        path="/v2/customers/realname-auths/individual",
        writes=True,
    ),
    Kind.ENTERPRISE: Operation(
        name="apply_enterprise",  # mc_00018
        method="POST",
        path="/v2/customers/realname-auths/enterprise",
        writes=True,
    ),
    Kind.ENTERPRISE_CHANGE: Operation(
        name="change_to_enterprise",  # mc_00019
        method="PUT",
        path="/v2/customers/realname-auths/enterprise",
        writes=True,
    ),
}
READ_RESULT = Operation(
    name="read_result",  # mc_00020
    method="GET",
    path="/v2/customers/realname-auths/result",
    writes=False,
)

TYPES: Mapping[Kind, Mapping[str, int]] = {
    Kind.INDIVIDUAL: {
        "PASSPORT": 3,
        "HK_MACAU_PERMIT": 5,
        "TAIWAN_PERMIT": 6,
        "HK_MACAU_RESIDENCE": 9,
        "TAIWAN_RESIDENCE": 10,
    },
    Kind.ENTERPRISE: {
        "BUSINESS_LICENSE": 0,
        "INSTITUTION_CERTIFICATE": 1,
        "SOCIAL_ORGANIZATION_CERTIFICATE": 2,
        "LAW_ENFORCEMENT_CERTIFICATE": 3,
        "ORGANIZATION_CODE": 4,
        "OTHER": 99,
    },
}

_EVIDENCE = ErrorCode.EVIDENCE_REQUIRED.name
_picture = pattern(
    rf"(?i)(?!(.*/)?\.\.?/)[^/\x00-\x1f\\]+(/[^/\x00-\x1f\\]+)*\.({'|'.join(FORMATS)})",
    Rule(ErrorCode.ATTACHMENT_FORMAT.name, f"must be a relative path to a {', '.join(FORMATS)}"),
)
_any_pictures = length(1, MAX_PICTURES, "entries", _EVIDENCE)


# After these it is not known whether the submission was taken.
UNCLEAR = frozenset(
    {ErrorCode.OUTCOME_UNKNOWN, ErrorCode.UPSTREAM_ERROR, ErrorCode.UPSTREAM_MALFORMED}
)
# Seconds before each look at the result: what was just submitted may not show at once.
SETTLE = (0.5, 1.0, 2.0)


class _Pictures(Texts):
    rules = Texts.rules | {"required": Rule(_EVIDENCE, "is required on the review backend")}


class _Apply(UpstreamSchema):
    customer_id = Text(required=True)
    xaccount_type = Text(attribute="platform_id", required=True)
    verified_number = Text(attribute="document.number", required=True, validate=length(1, 32))
    verified_file_url = _Pictures(
        Text(validate=_picture), attribute="attachments", required=True, validate=_any_pictures
    )


class _Individual(_Apply):
    identify_type = fields.Constant(0)
    change_type = fields.Constant(-1)  # the first authentication
    verified_type = document_code(TYPES[Kind.INDIVIDUAL], "review")
    name = Text(attribute="full_name", required=True, validate=[length(1, 255), has_letter])


class _Person(UpstreamSchema):
    legel_name = Text(attribute="full_name", required=True)
    legel_id_number = Text(attribute="id_number", required=True)
    certifier_role = fields.Constant("legalPerson")


class _Enterprise(_Apply):
    identify_type = fields.Constant(1)
    certificate_type = document_code(TYPES[Kind.ENTERPRISE], "review")
    corp_name = Text(attribute="legal_name", required=True, validate=[length(1, 255), has_letter])
    reg_country = Text(attribute="registration.country")
    reg_address = Text(attribute="registration.address")
    enterprise_person = Part(_Person(), attribute="representative")


class _Change(_Enterprise):
    change_type = fields.Constant(1)  # from individual to enterprise


_SCHEMAS: Mapping[Kind, UpstreamSchema] = {
    Kind.INDIVIDUAL: _Individual(),
    Kind.ENTERPRISE: _Enterprise(),
    Kind.ENTERPRISE_CHANGE: _Change(),
}


class _Result(Schema):
    """The answer of READ_RESULT; `review_result` is absent or null without an application."""

    class Meta:
        unknown = EXCLUDE

    review_result = fields.Integer(strict=True, allow_none=True, validate=OneOf((0, 1, 2)))
    opinion = fields.String(allow_none=True)


_RESULT = _Result()
_STATUSES = {0: Status.IN_REVIEW, 1: Status.REJECTED, 2: Status.VERIFIED}


class ReviewBackend:
    """The v2 calls of one account."""

    name = "review"

    def __init__(
        self, partner_center: PartnerCenter, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._partner_center = partner_center
        self._now = now

    def draft(self, kind: Kind, ours: Mapping[str, Any]) -> Draft:
        """Translate a submission and check it. Sends nothing."""
        schema = _SCHEMAS[kind]
        body = schema.dump(ours)
        errors = schema.broken_rules(body)
        pictures = PERSON.get(ours["document"]["type"])
        if pictures and not errors and len(body["verified_file_url"]) != len(pictures):
            text = f"must have {len(pictures)} entries: {', '.join(pictures)}"
            errors = (Rule(_EVIDENCE, text).at("/attachments"),)
        return Draft(body, errors)

    def submit(self, kind: Kind, customer_id: str, draft: Draft, errand: Errand) -> Verification:
        """Send a draft that breaks no rule; read the result where no person reviews it.

        Where the answer is lost, what the result shows soon after is the answer.

        Raises:
            GatewayError: whatever the call ended in; OUTCOME_UNKNOWN where the result does not
                tell either.
        """
        try:
            answer = self._partner_center.call(SUBMIT[kind], body=draft.body, errand=errand)
        except GatewayError as error:
            if error.code not in UNCLEAR:
                raise
            found = self._reconcile(kind, customer_id, errand)
            if found is None:
                raise
            return found
        in_review = Verification(
            customer_id=customer_id,
            kind=kind,
            status=Status.IN_REVIEW,
            backend=self.name,
            checked_at=self._now(),
        )
        if answer.get("is_review") == 1:
            return in_review
        try:
            result = self.read(customer_id, errand, kind)
        except GatewayError:
            # The submission was taken; only its result could not be read yet.
            return in_review
        return in_review if result.status is Status.NOT_SUBMITTED else result

    def look(self, kind: Kind, customer_id: str, errand: Errand) -> Verification | None:
        """What became of a submission whose answer was lost; None if the result does not tell.

        A rejection does not: it may be that of an earlier submission.

        Raises:
            GatewayError: if the result cannot be read.
        """
        result = self.read(customer_id, errand, kind)
        taken = result.status in (Status.IN_REVIEW, Status.VERIFIED)
        return replace(result, reconciled=True) if taken else None

    def _reconcile(self, kind: Kind, customer_id: str, errand: Errand) -> Verification | None:
        for pause in SETTLE:
            if errand.left - pause < FLOOR:
                break
            time.sleep(pause)
            try:
                if found := self.look(kind, customer_id, errand):
                    return found
            except GatewayError:
                continue
        return None

    def read(self, customer_id: str, errand: Errand, kind: Kind | None = None) -> Verification:
        """Read where a customer's verification stands.

        Whether this shows what was pushed by the legacy call is not confirmed.

        Raises:
            GatewayError: whatever the call ended in.
        """
        answer = self._partner_center.call(
            READ_RESULT, query=[("customer_id", customer_id)], errand=errand
        )
        try:
            result = _RESULT.load(answer)
        except ValidationError:
            raise GatewayError(ErrorCode.UPSTREAM_MALFORMED, write=False) from None
        number = result.get("review_result")
        status = Status.NOT_SUBMITTED if number is None else _STATUSES[number]
        return Verification(
            customer_id=customer_id,
            kind=kind,
            status=status,
            backend=self.name,
            checked_at=self._now(),
            reason=(result.get("opinion") or "") if status is Status.REJECTED else None,
        )
