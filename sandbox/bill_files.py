"""Generates the bill file of a month, as Huawei uploads it to the partner's bucket (mb_00002)."""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
from decimal import Decimal

PREFIX = "customerBill"
RECORDS = 100_000  # of one member of the archive
MODES = 7
# The first seven fields are those of the page, in its order and with its names. The page is
# readable up to there: the other two are invented, and so are header row and encoding.
HEADER = (
    "客户ID",
    "产品ID",
    "产品类型编码",
    "资源类型编码",
    "云服务区编码",
    "计费模式",
    "官网页面价",
)
INVENTED = ("Amount", "Currency")


def key(month: str) -> str:
    """Return the key of the object with the bill file of a month."""
    return f"{PREFIX}/{PREFIX}_{month.replace('-', '')}.tar.gz"


def generate(month: str, lines: int, customers: int, encoding: str) -> tuple[bytes, Decimal]:
    """Return a bill file, and the sum of its amounts.

    Args:
        month: The month.
        lines: The number of records, for the customers `cust-0`, `cust-1`, … in turn.
        customers: The number of customers.
        encoding: The encoding of the members.
    """
    packed, units = io.BytesIO(), 0
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w|") as archive,
    ):
        for part, first in enumerate(range(0, max(lines, 1), RECORDS), 1):
            amounts = [
                number * 7919 % 10**11 for number in range(first, min(first + RECORDS, lines))
            ]
            units += sum(amounts)  # of 10^-8
            text = io.StringIO(newline="")
            rows = (_record(number, customers, one) for number, one in enumerate(amounts, first))
            csv.writer(text).writerows([HEADER + INVENTED, *rows])
            content = text.getvalue().encode(encoding)
            member = tarfile.TarInfo(f"{PREFIX}_{month.replace('-', '')}_{part:04d}.csv")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue(), Decimal(units).scaleb(-8)


def _record(number: int, customers: int, amount: int) -> tuple[str, ...]:
    return (
        f"cust-{number % customers}",
        f"00301-{number % 900}-0--0",
        "hws.service.type.ebs",
        "hws.resource.type.volume",
        "ap-southeast-1",
        str(number % MODES),
        f"{amount * 2 // 10**8}.{amount * 2 % 10**8:08d}",
        f"{amount // 10**8}.{amount % 10**8:08d}",
        "USD",
    )
