"""Declared reads: what a view asks Huawei for the caller of the request."""

from collections.abc import Mapping
from typing import Any

from flask import g

from app.api.extensions import account
from app.api.lists import page
from app.huawei.operation import Operation
from app.huawei.pacing.deadline import READ, Errand


def read(operation: Operation, **ours: Any) -> Mapping[str, Any]:
    """Read what an operation answers, in the words of the contract.

    Args:
        operation: The read.
        **ours: What it asks, in our words; None asks nothing.

    Raises:
        GatewayError: the failure of the call.
    """
    errand = Errand.within(READ, g.caller)
    return account().partner_center.read(operation, errand, **ours)


def read_page(operation: Operation, query: Mapping[str, Any], **ours: Any) -> dict[str, Any]:
    """Read a page of a list.

    Args:
        operation: The read. Its answer has `items` and `total`.
        query: The query of the request: the filters, `limit` and `after`.
        **ours: What else it asks, in our words.

    Raises:
        GatewayError: the failure of the call.
    """
    return page(read(operation, **query, **ours), query["after"])
