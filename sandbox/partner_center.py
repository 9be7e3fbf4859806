"""Partner Center's verified-info (deprecated) and its review result.

Sources: en-us_topic_0076214635 "Synchronizing Customer Real-Name Authentication Information",
mc_00020 "Querying the Real-Name Authentication Review Result".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from .api_gateway import not_published
from .calls import Answer, Call, json_answer
from .codes import code_answer
from .customers import ENTERPRISE, INDIVIDUAL
from .fields import Check, FieldError, constant, integer, read_json, read_object, text
from .magic import magic_answer, magic_code
from .settings import PARTNER_ID, PLATFORM_ID
from .state import State

VERIFIED = 2

# No page documents Huawei's answer after the switch-off of the API. This code is invented.
GONE_CODE = "CBC.99999410"

# identifyType by kind: identity cards 1, 4 and 5, passport 2; business licence 3 and organization
# code 11. The numbers 6 to 10 are in the documented range but have no meaning.
DOCUMENTS = {INDIVIDUAL: (1, 2, 4, 5), ENTERPRISE: (3, 11)}
# For enterprises the page's sentence and its character class contradict each other; this is one
# reading of both.
NUMBERS = {INDIVIDUAL: r"[0-9a-zA-Z]{1,32}", ENTERPRISE: r"[^!@#$%^&*<>\\]{1,32}"}

# The table declares three integers, and every example sends strings of digits: accept both.
VERIFIED_INFO: Mapping[str, Check] = {
    "xaccountType": constant(PLATFORM_ID),
    "xaccountId": text(64),
    "domainId": text(64),
    "verifiedType": integer(INDIVIDUAL, ENTERPRISE, digits=True),
    "verifiedStatus": integer(VERIFIED, digits=True),
    "name": text(256, named=True),
    "identifyType": integer(*range(1, 12), digits=True),
    "verifiedNumber": text(32),
}


def refuse_field(call: Call, error: FieldError) -> Answer:
    """Return the answer to a parameter error. Its text repeats the value, as Huawei's can."""
    return code_answer("CBC.0100", call.request_id, text=str(error))


def read_body(call: Call, fields: Mapping[str, Check], optional: tuple[str, ...] = ()) -> Any:
    """Read the body as a closed JSON object.

    Raises:
        FieldError: the Content-Type is not JSON, there is a query, or the object is not valid.
    """
    media_type = call.headers.get("content-type", "")
    if media_type.partition(";")[0].strip().lower() != "application/json":
        raise FieldError("Content-Type", media_type, "is not application/json")
    if call.query:
        raise FieldError("query", call.query, "is not expected")
    return read_object("body", read_json(call.body), fields, optional)


def verified_info(state: State, call: Call) -> Answer:
    """Verify a customer at once."""
    settings = state.settings
    if settings.legacy == "retired":
        return not_published(call)
    if settings.legacy == "gone":
        return code_answer(GONE_CODE, call.request_id, status=410)
    if unquote(call.path.split("/")[2]) != PARTNER_ID:
        # The FAQ bpconsole_apifaq_00004 documents the status but no code.
        return json_answer(401, {"error_msg": "Unauthorized", "request_id": call.request_id})
    try:
        body = _read_verified_info(call)
    except FieldError as error:
        return refuse_field(call, error)
    default_status = settings.legacy_failure_status
    magic = magic_answer(body["domainId"], call.request_id, default_status=default_status)
    if magic is not None:
        return magic
    return _verify(state, call, body["domainId"], body["verifiedType"])


def _read_verified_info(call: Call) -> dict[str, Any]:
    body: dict[str, Any] = read_body(call, VERIFIED_INFO)
    kind = body["verifiedType"]
    if body["identifyType"] not in DOCUMENTS[kind]:
        raise FieldError("identifyType", body["identifyType"], f"does not match {kind}")
    if not re.fullmatch(NUMBERS[kind], body["verifiedNumber"]):
        raise FieldError("verifiedNumber", body["verifiedNumber"], "has characters not allowed")
    return body


def _verify(state: State, call: Call, customer_id: str, kind: int) -> Answer:
    customer, now = state.customer(customer_id), state.clock.now()
    default_status = state.settings.legacy_failure_status
    if customer.in_review(now):
        return code_answer("CBC.5005", call.request_id, default_status=default_status)
    if customer.verified_kind(now) not in (None, kind):
        return code_answer("CBC.5006", call.request_id, default_status=default_status)
    # The answer to a repeated call is not documented; the sandbox answers success again.
    customer.legacy_kind = kind
    return code_answer("CBC.0000", call.request_id)


def result(state: State, call: Call) -> Answer:
    """Return the review result of a customer."""
    return read(state, call, _result, {"customer_id": text(64)})


def _result(state: State, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    customer = state.customers.get(asked["customer_id"])
    if customer is None:
        return {}
    return customer.result(state.clock.now(), legacy=state.settings.result_shows_legacy)


def read(
    state: State,
    call: Call,
    serve: Callable[[State, Mapping[str, Any]], Mapping[str, Any] | str],
    fields: Mapping[str, Check],
    optional: tuple[str, ...] = (),
) -> Answer:
    """Answer a read, whose method says whether it asks by query or by body.

    Args:
        state: The state of the sandbox.
        call: The request.
        serve: Returns the answer to what was asked, or an error code.
        fields: The check of each field that can be asked.
        optional: The fields that may be missing.
    """
    try:
        by_query = call.method == "GET"
        asked = (
            _read_query(call, fields, optional) if by_query else read_body(call, fields, optional)
        )
    except FieldError as error:
        return refuse_field(call, error)
    named = (asked.get(name, "") for name in ("customer_id", "order_id"))
    for one in (*named, *asked.get("customer_ids", ())):
        magic = magic_answer(one, call.request_id, default_status=400)
        if magic is not None:
            return magic
    found = serve(state, asked)
    return (
        code_answer(found, call.request_id) if isinstance(found, str) else json_answer(200, found)
    )


def write(
    state: State,
    call: Call,
    serve: Callable[[State, Mapping[str, Any]], Answer | str | None],
    fields: Mapping[str, Check],
    optional: tuple[str, ...] = (),
) -> Answer:
    """Answer a write whose body is a JSON object.

    Args:
        state: The state of the sandbox.
        call: The request.
        serve: Does the work. Returns an error code, None for an empty answer, or another answer.
        fields: The check of each field.
        optional: The fields that may be missing.
    """
    try:
        asked = read_body(call, fields, optional)
    except FieldError as error:
        return refuse_field(call, error)
    # A code without a status is the failure of one customer of a list.
    listed = (one for one in asked.get("customer_ids", ()) if magic_code(one) is None)
    for customer_id in (asked.get("customer_id", ""), *listed):
        magic = magic_answer(customer_id, call.request_id, default_status=400)
        if magic is not None:
            return magic
    found = serve(state, asked)
    if isinstance(found, str):
        return code_answer(found, call.request_id)
    return found or Answer(state.settings.write_status)


def _read_query(call: Call, fields: Mapping[str, Check], optional: tuple[str, ...]) -> Any:
    if call.body:
        raise FieldError("body", call.body.decode("utf-8", "replace"), "is not expected")
    pairs = parse_qsl(call.query, keep_blank_values=True)
    if len(pairs) != len(dict(pairs)):
        raise FieldError("query", call.query, "repeats a parameter")
    return read_object("query", dict(pairs), fields, optional)


def access_denied(call: Call) -> Answer:
    """Return the answer to a credential of the wrong kind."""
    return code_answer("CBC.0151", call.request_id)
