"""Magic customer ids, which select the behaviour of the sandbox. The README has the table."""

from __future__ import annotations

import re

from .calls import Answer
from .codes import code_answer

_CODE = re.compile(r"code-(CBC|APIGW|APIG|IAM)-(\d{1,10})(?:-([2-5]\d\d))?")


def magic_answer(customer_id: str, request_id: str, *, default_status: int) -> Answer | None:
    """Return the answer that a customer id selects; None for an ordinary customer id."""
    match = _CODE.fullmatch(customer_id)
    if match is None:
        return None
    family, number, status = match.groups()
    return code_answer(
        f"{family}.{number}",
        request_id,
        status=None if status is None else int(status),
        default_status=default_status,
    )


def magic_code(customer_id: str) -> str | None:
    """Return the code of Partner Center that a customer id selects without a status."""
    match = _CODE.fullmatch(customer_id)
    if match is None or match[1] != "CBC" or match[3]:
        return None
    return f"CBC.{match[2]}"


def magic_email(email: str, request_id: str) -> Answer | None:
    """Return the answer that the part before the @ selects; None for an ordinary address."""
    return magic_answer(email.partition("@")[0], request_id, default_status=400)


def times_out(xaccount_id: str) -> bool:
    """Whether the creation of this customer answers that its association timed out."""
    return xaccount_id.startswith("associate-timeout")


def waits(xaccount_id: str) -> bool:
    """Whether this customer is associated by a control call only."""
    return xaccount_id.startswith("associate-hold")


def instant(customer_id: str) -> bool:
    """Whether this customer is verified at once, without a review."""
    return customer_id.startswith("review-instant")


def reviewed(customer_id: str) -> bool:
    """Whether this customer is always reviewed, even if the setting `is_review` is 0."""
    return customer_id.startswith(("review-reject", "review-pass", "review-hold"))


def rejected(customer_id: str) -> bool:
    """Whether the review of this customer ends with a rejection."""
    return customer_id.startswith("review-reject")


def held(customer_id: str) -> bool:
    """Whether the review of this customer never ends by itself."""
    return customer_id.startswith("review-hold")
