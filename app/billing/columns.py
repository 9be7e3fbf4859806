"""The columns of a bill file: our names for those that are known, Huawei's for the others."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from app.billing.records import Records
from app.billing.unpacking import unreadable
from app.texts import CUSTOMER_ID

CUSTOMER = "customer_id"
MODE = "billing_mode"
MOST_COLUMNS = 500

# The names in the page's table of fields, of which the first seven are known (mb_00002, in
# Chinese), and Huawei's English names for the same fields (dp_060103, the fields of the console's
# export). Huawei does not document the header row: `bills.columns` names what is missing here.
_KNOWN = {
    CUSTOMER: ("客户ID", "Customer ID"),
    "product_id": ("产品ID",),
    "service_type": ("产品类型编码", "Product Type Code"),
    "resource_type": ("资源类型编码",),
    "region": ("云服务区编码",),
    MODE: ("计费模式", "Billing Mode"),
    "list_amount": ("官网页面价",),
}
# The values of the billing mode (mb_00002).
MODES = {
    "0": "YEARLY_MONTHLY",
    "1": "PAY_PER_USE",
    "2": "RESERVED_INSTANCE_ORDER",
    "3": "RESERVED_INSTANCE_HOURLY",
    "4": "SAVINGS_PLAN_ORDER",
    "5": "SAVINGS_PLAN_HOURLY",
    "6": "SAVINGS_PLAN_DEDUCTION",
}
_is_customer = re.compile(CUSTOMER_ID).fullmatch


def _plain(name: str) -> str:
    """A name in lower case, without blanks, underscores and other signs, for comparison."""
    return "".join(filter(str.isalnum, name.casefold()))


_NAMES = {_plain(huaweis): ours for ours, names in _KNOWN.items() for huaweis in (ours, *names)}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a bill file.

    Args:
        header: Huawei's names.
        names: Our names.
        customer: The place of the customer's id.
        mode: The place of the billing mode, if the file has one.
    """

    header: Sequence[str]
    names: Sequence[str]
    customer: int
    mode: int | None

    @classmethod
    def of(cls, header: Sequence[str], configured: Mapping[str, str]) -> Self:
        """The columns by the header row of the first member.

        Args:
            header: The row.
            configured: Our names by Huawei's, beside those that are known.

        Raises:
            GatewayError: UPSTREAM_MALFORMED if the row names no customers, or names them twice.
        """
        if len(header) > MOST_COLUMNS:
            raise unreadable(f"The bill file has more than {MOST_COLUMNS} columns.")
        ours = list(_ours(header, configured))
        names = _unique(ours)
        if CUSTOMER not in names:
            raise unreadable(
                "The header row of the bill file has no known column of the customers' ids: the "
                "operator can name the column in `bills.columns`."
            )
        # A filter needs one column, and nothing shows which of them is right.
        if ours.count(CUSTOMER) > 1:
            raise unreadable(
                "The header row of the bill file has more than one column of the customers' ids: "
                "the operator can give the others another name in `bills.columns`."
            )
        mode = names.index(MODE) if MODE in names else None
        return cls(header, names, names.index(CUSTOMER), mode)

    def places(self, name: str) -> list[int]:
        """The places of the columns with a name: ours, or else Huawei's."""
        return _places(self.names, name) or _places(map(_bare, self.header), name)

    def checked(self, records: Records, begins: bool) -> Records:
        """The records of a batch without the header row, with plain ids and words for modes.

        Args:
            records: The batch.
            begins: Whether it is the first of a member. Huawei does not document whether each
                member begins with the header row.

        Raises:
            GatewayError: UPSTREAM_MALFORMED for other columns than those of the first member, and
                for a malformed customer id.
        """
        if begins and records and records[0] == self.header:
            records = records[1:]
        elif begins and records and self._names_customers(records[0]):
            raise unreadable("The members of the bill file have different columns.")
        if set(map(len, records)) - {len(self.names)}:
            raise unreadable("The bill file has a record with other columns than its header row.")
        self._strip_customers(records)
        if (mode := self.mode) is not None:
            for record in records:
                record[mode] = MODES.get(record[mode]) or _other(record[mode])
        return records

    def _strip_customers(self, records: Records) -> None:
        """Strip the white space that spreadsheet programs add around an id, such as a tab.

        A filter compares ids. It would silently drop a line whose id is not stripped.
        """
        place = self.customer
        if all(map(_is_customer, {record[place] for record in records})):
            return
        for record in records:
            record[place] = record[place].strip()
            if record[place] and not _is_customer(record[place]):
                raise unreadable("The bill file has a record with a malformed customer id.")

    def _names_customers(self, record: Sequence[str]) -> bool:
        return _plain(self.header[self.customer]) in map(_plain, record)


def _bare(name: str) -> str:
    return name.strip().removeprefix("\ufeff")


def _places(names: Iterable[str], name: str) -> list[int]:
    return [place for place, one in enumerate(names) if one == name]


def _other(mode: str) -> str:
    """A billing mode that is not known: a number becomes OTHER_<number>, a text stays."""
    return f"OTHER_{mode}" if mode.isascii() and mode.isdigit() else mode


def _ours(header: Sequence[str], configured: Mapping[str, str]) -> Iterable[str]:
    ours = _NAMES | {_plain(huaweis): name for huaweis, name in configured.items()}
    for place, name in enumerate(header, 1):
        stripped = _bare(name)
        yield ours.get(_plain(stripped)) or stripped or f"column_{place}"


def _unique(names: Iterable[str]) -> list[str]:
    """The names, of which a repeated one gets a number."""
    found: list[str] = []
    for name in names:
        place, unique = 1, name
        while unique in found:
            place += 1
            unique = f"{name}_{place}"
        found.append(unique)
    return found
