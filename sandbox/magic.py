"""Customer ids that make the sandbox behave in a chosen way; the README has the table."""

from __future__ import annotations

import re

from .calls import Answer
from .codes import code_answer

_CODE = re.compile(r"code-(CBC|APIGW|APIG|IAM)-(\d{1,10})(?:-([2-5]\d\d))?")


def magic_answer(customer_id: str, request_id: str, *, unprinted: int) -> Answer | None:
    """Return the answer that this customer id asks for, or None for an ordinary customer."""
    match = _CODE.fullmatch(customer_id)
    if match is None:
        return None
    family, number, status = match.groups()
    return code_answer(
        f"{family}.{number}",
        request_id,
        status=None if status is None else int(status),
        unprinted=unprinted,
    )


def instant(customer_id: str) -> bool:
    """Whether a review of this customer needs no human."""
    return customer_id.startswith("review-instant")


def reviewed(customer_id: str) -> bool:
    """Whether a human always looks at this customer, whatever the setting is_review says."""
    return customer_id.startswith(("review-reject", "review-pass", "review-hold"))


def rejected(customer_id: str) -> bool:
    """Whether the review of this customer ends with a rejection."""
    return customer_id.startswith("review-reject")


def held(customer_id: str) -> bool:
    """Whether the review of this customer never ends by itself."""
    return customer_id.startswith("review-hold")
