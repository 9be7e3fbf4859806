"""Compares the lines of a bill with its sum, in exact decimals."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

from app.billing.file import BillFile

AMOUNT = "amount"
CURRENCY = "currency"
CENT = Decimal("0.01")

_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation])  # raises instead of rounding


class NotComparable(Exception):
    """The bill and its lines cannot be compared; the text says why."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison of one currency.

    Args:
        currency: The currency.
        lines: The number of lines.
        of_lines: The sum of their amounts.
        of_bill: The amount of the bill.
    """

    currency: str
    lines: int
    of_lines: Decimal
    of_bill: Decimal

    @property
    def difference(self) -> Decimal:
        """The sum of the lines without the amount of the bill."""
        return _EXACT.subtract(self.of_lines, self.of_bill)

    @property
    def by_cents(self) -> Decimal:
        """The most that the difference can be if Huawei charges each line in whole cents."""
        return CENT * self.lines


def compare(
    file: BillFile,
    bill: Mapping[str, Any],
    amount: str,
    of_bill: str,
    progress: Callable[[int], None],
) -> Iterator[Comparison]:
    """Compare the lines of a bill with its sum, currency by currency.

    Lines without a column `currency` are in the currency of the bill.

    Args:
        file: The lines.
        bill: The bill, as `getPartnerBill` answers it.
        amount: The column of the lines' amounts: our name or Huawei's.
        of_bill: The amount of the bill to compare with.
        progress: Called with the number of lines now and then.

    Raises:
        NotComparable: if the file has no or several such columns, or a line has no amount in it.
        GatewayError: if the lines cannot be read to their end.
    """
    names = list(file.columns.names)
    places = file.columns.places(amount)
    if len(places) != 1:
        found = "several columns" if places else "no column"
        listed = ", ".join(map(repr, names))
        raise NotComparable(f"the bill file has {found} {amount!r}; its columns are {listed}")
    (place,) = places
    currency = names.index(CURRENCY) if CURRENCY in names else None
    sums: dict[str, Decimal] = defaultdict(Decimal)
    counts: dict[str, int] = defaultdict(int)
    for lines in file.wanted(None):
        for line in lines:
            text = line[place].strip()
            if not _DECIMAL.fullmatch(text):
                number = sum(counts.values()) + 1
                raise NotComparable(f"line {number} has no amount in the column {amount!r}")
            name = bill["currency"] if currency is None else line[currency].strip()
            sums[name] = _EXACT.add(sums[name], Decimal(text))
            counts[name] += 1
        progress(file.lines)
    for name in sorted({bill["currency"], *sums}):
        due = Decimal(bill[of_bill]) if name == bill["currency"] else Decimal()
        yield Comparison(name, counts[name], sums[name], due)
