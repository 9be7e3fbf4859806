"""Partner Center's v2 real-name applications, which Huawei's staff may review.

Sources: mc_00017 (individual), mc_00018 (enterprise), mc_00019 (change to enterprise).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .calls import Answer, Call, json_answer
from .codes import code_answer
from .customers import ENTERPRISE, INDIVIDUAL, Customer, Review
from .fields import Check, FieldError, constant, integer, nested, text, texts
from .magic import held, instant, magic_answer, rejected, reviewed
from .partner_center import read_body, refuse_field
from .settings import BUCKET, PLATFORM_ID
from .state import State

MAX_FILES = 4
MAX_FILE_BYTES = 10 * 1024 * 1024
FORMATS = (".jpg", ".jpeg", ".bmp", ".png", ".gif", ".pdf")
FOLDER = "download/"

# Characters and segments that can change the meaning of a path. Huawei does not document how it
# handles them.
UNPLAIN = re.compile(r"[%?#;\\\x00-\x1f]|(?:^|/)\.{0,2}(?:/|$)")

# The number of pictures by verified_type (mc_00017, international site).
FILES_BY_DOCUMENT = {3: 2, 5: 3, 6: 3, 9: 3, 10: 3}
# The English page requires two pictures of the certificate, the Chinese page one. Neither page says
# whether the two pictures of the legal person are mandatory with enterprise_person.
ENTERPRISE_FILES = (1, 2)
ENTERPRISE_FILES_WITH_PERSON = (1, 2, 3, 4)

# No page prints a limit for these fields.
UNDOCUMENTED_LENGTH = 1024

INDIVIDUAL_FIELDS: Mapping[str, Check] = {
    "customer_id": text(64),
    "identify_type": integer(INDIVIDUAL),
    "verified_type": integer(*FILES_BY_DOCUMENT),
    "verified_file_url": texts(MAX_FILES),
    "name": text(255),
    "verified_number": text(32),
    "change_type": integer(-1),
    "xaccount_type": constant(PLATFORM_ID),
}

# "legel" is Huawei's own spelling.
PERSON_FIELDS: Mapping[str, Check] = {
    "legel_name": text(UNDOCUMENTED_LENGTH),
    "legel_id_number": text(UNDOCUMENTED_LENGTH),
    "certifier_role": constant("legalPerson"),
}

ENTERPRISE_FIELDS: Mapping[str, Check] = {
    "customer_id": text(64),
    "identify_type": integer(ENTERPRISE),
    "certificate_type": integer(0, 1, 2, 3, 4, 99),
    "verified_file_url": texts(MAX_FILES),
    "corp_name": text(255, named=True),
    "verified_number": text(UNDOCUMENTED_LENGTH),
    "reg_country": text(2, "[A-Z]{2}"),
    "reg_address": text(UNDOCUMENTED_LENGTH),
    "xaccount_type": constant(PLATFORM_ID),
    "enterprise_person": nested(PERSON_FIELDS, ("certifier_role",)),
}
CHANGE_FIELDS = {**ENTERPRISE_FIELDS, "change_type": integer(1)}
ENTERPRISE_OPTIONAL = ("certificate_type", "reg_country", "reg_address", "enterprise_person")


def individual(state: State, call: Call) -> Answer:
    """Accept the application of an individual."""
    try:
        # The table marks verified_type as optional, but identify_type 0, the only one, requires it.
        body = read_body(call, INDIVIDUAL_FIELDS, ("change_type",))
        _check_files(body, (FILES_BY_DOCUMENT[body["verified_type"]],))
    except FieldError as error:
        return refuse_field(call, error)
    return _apply(state, call, body, INDIVIDUAL)


def enterprise(state: State, call: Call) -> Answer:
    """Accept the application of an enterprise."""
    return _enterprise(state, call, ENTERPRISE_FIELDS)


def change(state: State, call: Call) -> Answer:
    """Accept the application of an individual to become an enterprise."""
    return _enterprise(state, call, CHANGE_FIELDS, from_individual=True)


def _enterprise(
    state: State, call: Call, fields: Mapping[str, Check], *, from_individual: bool = False
) -> Answer:
    try:
        body = read_body(call, fields, ENTERPRISE_OPTIONAL)
        person = "enterprise_person" in body
        _check_files(body, ENTERPRISE_FILES_WITH_PERSON if person else ENTERPRISE_FILES)
    except FieldError as error:
        return refuse_field(call, error)
    return _apply(state, call, body, ENTERPRISE, from_individual=from_individual)


def _check_files(body: Mapping[str, Any], counts: tuple[int, ...]) -> None:
    urls = body["verified_file_url"]
    if len(urls) not in counts:
        raise FieldError("verified_file_url", urls, f"must have {counts} entries")
    for url in urls:
        # "Relative: the bucket and download/ are left out, the sub-folder is kept."
        if url.startswith(("/", FOLDER)) or "://" in url:
            raise FieldError("verified_file_url", url, f"is not relative to {FOLDER}")
        if UNPLAIN.search(url):
            raise FieldError("verified_file_url", url, "is not a plain path")


def _apply(
    state: State, call: Call, body: Mapping[str, Any], kind: int, *, from_individual: bool = False
) -> Answer:
    customer_id = body["customer_id"]
    magic = magic_answer(customer_id, call.request_id, default_status=400)
    if magic is not None:
        return magic
    code = _attachment_problem(state, body["verified_file_url"])
    if code is not None:
        return code_answer(code, call.request_id)
    customer, now = state.customer(customer_id), state.clock.now()
    # Whether a change requires a verified individual is not confirmed. The sandbox requires none.
    verified = customer.verified_kind(now)
    settled = verified is not None and not (from_individual and verified == INDIVIDUAL)
    if settled or customer.in_review(now):
        return code_answer("CBC.99007188", call.request_id)
    review, is_review = _review(state, _magic_name(customer_id, customer), kind, now)
    customer.submit(review, now)
    return json_answer(200, {"is_review": is_review})


def _attachment_problem(state: State, urls: list[str]) -> str | None:
    bucket = state.buckets[BUCKET]
    for url in urls:
        # File names are case-sensitive. Whether their endings are is not documented.
        if not url.lower().endswith(FORMATS):
            return "CBC.99000100"
        stored = bucket.get(f"{FOLDER}{url}")
        if stored is None and state.settings.missing_attachment_code is not None:
            return state.settings.missing_attachment_code
        if stored is not None and len(stored.content) > MAX_FILE_BYTES:
            return "CBC.99000099"
    return None


def _magic_name(customer_id: str, customer: Customer) -> str:
    """The name that can be magic: Huawei makes the id of a customer that was created."""
    name = "" if customer.account is None else customer.account.xaccount_id
    return name if name.startswith("review-") else customer_id


def _review(state: State, name: str, kind: int, now: float) -> tuple[Review, int]:
    is_review = 1 if reviewed(name) else state.settings.is_review
    if instant(name):
        is_review = 0
    if is_review == 0:
        return Review(kind, now), is_review
    seconds = None if held(name) else state.settings.review_seconds
    ends_at = None if seconds is None else now + seconds
    outcome = Review(kind, ends_at, "rejected" if rejected(name) else "passed")
    return outcome, is_review
