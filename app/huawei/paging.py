"""Reads a list of Partner Center to its end."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.huawei.operation import Operation
from app.huawei.pacing.deadline import Errand
from app.huawei.partner_center import PartnerCenter

PAGE = 100  # entries: the most of a page of each list (mt_01007, mc_00021)


def entries(
    partner_center: PartnerCenter, operation: Operation, errand: Errand, **ours: Any
) -> Iterator[Mapping[str, Any]]:
    """The entries of all pages of a declared list, in Huawei's order.

    Args:
        partner_center: Partner Center.
        operation: The list.
        errand: The caller and the deadline of all pages.
        **ours: The values of the parameters but `limit` and `after`, by our names.

    Raises:
        GatewayError: the failure of a call.
    """
    read = 0
    while True:
        page = partner_center.read(operation, errand, limit=PAGE, after=read, **ours)
        yield from page["items"]
        read += len(page["items"])
        if not page["items"] or read >= page["total"]:
            return
