"""A month's bill file: its lines, read while they arrive."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Protocol, Self

from app.billing.columns import Columns
from app.billing.month import Month, absent, begun
from app.billing.records import Records, batches
from app.billing.unpacking import reading, texts, unreadable
from app.errors import ErrorCode, GatewayError
from app.huawei.obs import Bucket
from app.huawei.pacing.deadline import Errand
from app.huawei.transport import Stream
from app.settings import BillSettings

LONGEST = 3600.0  # seconds for a whole file, the reader's pauses included
_ENCODINGS = {"utf-8": "utf-8-sig", "gb18030": "gb18030"}  # the first with or without its mark

Chosen = Callable[[str], object]  # whether a customer's lines are wanted


class Archive(Stream, Protocol):
    """The packed file: a download."""

    def close(self) -> None:
        """Close the connection."""


class BillFile:
    """An open bill file. Close it: it holds a connection.

    Args:
        archive: The packed file.
        month: Its month.
        settings: What the account's configuration says of its columns and its encoding.

    Raises:
        GatewayError: UPSTREAM_MALFORMED if its beginning is not a bill, or the failure of the
            download.
    """

    def __init__(self, archive: Archive, month: Month, settings: BillSettings) -> None:
        self._archive = archive
        self._month = month
        self._settings = settings
        self.lines = 0  # that were read and wanted
        self._batches = self._read()
        self.columns, self._first = next(self._batches)

    def wanted(self, chosen: Chosen | None) -> Iterator[Records]:
        """The lines in their order, in batches; the end of the iteration proves their completeness.

        Args:
            chosen: Whether a customer's lines are wanted; None for the lines of all.

        Raises:
            GatewayError: UPSTREAM_MALFORMED if the file is not a bill; or the failure of the
                download.
        """
        for columns, batch in self._all():
            # Yield to the other greenlets: with a fast Huawei and reader nothing else blocks.
            time.sleep(0)
            place = columns.customer
            lines = batch if chosen is None else [line for line in batch if chosen(line[place])]
            self.lines += len(lines)
            if lines:
                yield lines

    def close(self) -> None:
        """Close the connection."""
        self._archive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _all(self) -> Iterator[tuple[Columns, Records]]:
        yield self.columns, self._first
        yield from self._batches

    def _read(self) -> Iterator[tuple[Columns, Records]]:
        columns = None
        encoding = _ENCODINGS[self._settings.encoding]
        with reading():
            for text in texts(self._archive, self._month, encoding):
                begins = True
                for batch in batches(text):
                    if columns is None:
                        if not batch:
                            raise unreadable("The bill file has no header row.")
                        columns = Columns.of(batch[0], self._settings.columns)
                    yield columns, columns.checked(batch, begins)
                    begins = False
        if columns is None:
            raise unreadable("The bill file has no member.")


class BillFiles:
    """The bill files of one account.

    Args:
        bucket: The bucket to which Huawei uploads them; None if the account has none.
        settings: What the account's configuration says of the files.
    """

    def __init__(self, bucket: Bucket | None, settings: BillSettings) -> None:
        self._bucket = bucket
        self._settings = settings

    def open(self, text: str, errand: Errand, now: float) -> BillFile:
        """Open the bill file of a month.

        Args:
            text: The month as `YYYY-MM`.
            errand: The caller and the deadline of the file's beginning.
            now: The time, in seconds since 1970.

        Raises:
            GatewayError: VALIDATION_FAILED if the text is not a month that has begun;
                BILL_NOT_READY if there is no file; PARTNER_NOT_ENABLED if the account has no
                bucket; UPSTREAM_MALFORMED if the file's beginning is not a bill; or OBS's failure.
        """
        month = begun(text, now)
        if self._bucket is None:
            raise GatewayError(
                ErrorCode.PARTNER_NOT_ENABLED, "This account has no bucket for bill files."
            )
        # mb_00002; Huawei makes the file of a month that is over.
        key = f"customerBill/customerBill_{month.compact}.tar.gz"
        over = month < Month.at(now)
        download = self._bucket.open(key, errand, LONGEST) if over else None
        if download is None:
            raise absent(month, now)
        try:
            return BillFile(download, month, self._settings)
        except BaseException:
            download.close()
            raise


def only(customer_id: str | None, own: str | None) -> Chosen | None:
    """Which customers' lines a caller gets; None for the lines of all.

    Args:
        customer_id: The customer that it asks for.
        own: The pattern of the customers to which it is limited.
    """
    if customer_id is not None:
        return customer_id.__eq__
    return None if own is None else re.compile(own).fullmatch
