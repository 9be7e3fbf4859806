"""One write at a time for a customer, and each Idempotency-Key once."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from app.errors import ErrorCode, GatewayError, Retry
from app.huawei.pacing.deadline import FLOOR
from app.state import Sealing, State
from app.writes.records import KIND_KEPT, Record, Records, pause
from app.writes.write import EarlierTry, Kept, Write

T = TypeVar("T")

GRACE = 5.0  # seconds after its deadline until the lock of a killed process's write expires


class Attempt:
    """A try of a write, by the holder of its subject's lock.

    `earlier` is the earlier try with the same key, if there was one. `before` is the subject's
    state before this try is sent; None while that state is not known.

    Args:
        records: Stores the record of the write.
        write: The write.
        name: The name of the record; None if the write has no key.
        record: The present record.
        now: The wall clock, in seconds.
    """

    def __init__(
        self,
        records: Records,
        write: Write,
        name: str | None,
        record: Record,
        now: Callable[[], float],
    ) -> None:
        self.write = write
        self.before: str | None = None
        self._now = now
        self._records = records
        self._name = name
        self._record = record
        self.sent_at = record.sent_at  # in seconds of the wall clock; 0 if nothing was sent yet
        self._first = False
        self._unsure = False  # whether the earlier try may not be the last one
        self.earlier = self._earlier()
        self._keep(record)

    @property
    def doubtful(self) -> bool:
        """Whether Huawei may know the write from a try that no record here tells of."""
        return self._unsure or (self._record.doubtful and not self._record.try_id)

    def is_first(self) -> bool:
        """Whether no other write for the subject is known to have been sent in 24 hours.

        Ask before `sending`. If Huawei then refuses this try, it does not count for the next.
        """
        self._first = self._records.last(self.write.subject)[0] is None
        return self._first

    def sending(self, to: str = "") -> None:
        """Record that the write is about to be sent. From now on Huawei may have processed it.

        Args:
            to: The API that receives it.
        """
        self.sent_at, try_id = self._now(), uuid.uuid4().hex
        before = self.before or ""
        self._keep(
            replace(self._record, try_id=try_id, sent_at=self.sent_at, sent_to=to, before=before)
        )
        self._records.mark_last(self.write.subject, try_id)

    def failed(self, error: GatewayError) -> None:
        """Record the failure of the try. If nothing was processed, the key may be used again."""
        if self.earlier is not None or error.code.write_retry is Retry.SAME_KEY:
            self._keep(replace(self._record, ends=0.0))
            return
        if self._first:  # it changed nothing
            self._records.unmark_last(self.write.subject, self._record.try_id)
        if self._name is not None:
            self._records.forget(self._name)

    def done(self, answer: Mapping[str, Any]) -> None:
        """Record the answer to every repeat."""
        self._keep(replace(self._record, answer=answer))

    def _keep(self, record: Record) -> None:
        """Store the present record, if the write has a key."""
        self._record = record
        if self._name is not None:
            self._records.keep(self._name, record)

    def _earlier(self) -> EarlierTry | None:
        if not (record := self._record).try_id:
            return None
        last, certain = self._records.last(self.write.subject)
        self._unsure = not certain
        alone = certain and last == record.try_id
        before = (record.before or None) if alone else None
        return EarlierTry(record.sent_to, record.sent_at, alone, before)


class Writes:
    """The writes of one account.

    Args:
        account: The account's name.
        state: Stores locks and records for all replicas.
        sealing: Computes the fingerprints.
        now: The wall clock, in seconds.
    """

    def __init__(
        self, account: str, state: State, sealing: Sealing, now: Callable[[], float] = time.time
    ) -> None:
        self._state = state
        self._records = Records(account, state, sealing)
        self.kind, self.remember = self._records.kind, self._records.remember
        self._now = now

    def run(self, write: Write, work: Callable[[Attempt], T], kept: Kept[T]) -> tuple[T, bool]:
        """Do the work, unless the answer to the write is known already.

        Args:
            write: The write.
            work: Does it, and returns its answer.
            kept: How the answer is kept.

        Returns:
            The answer, and whether it was known.

        Raises:
            GatewayError: IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_FLIGHT,
                CUSTOMER_WRITE_IN_PROGRESS (also if another replica's write may be under way), or
                the failure of the work.
        """
        name = self._record_name(write)
        known, _ = self._known(name, write)
        if known is not None and known.answer is not None:
            return kept.replay(write, known.answer), True
        self._settle(write)
        lock = self._records.name("write", write.subject)
        begun = self._now()
        ends = begun + max(0.0, write.errand.left) + GRACE
        holder = f"{begun} {ends} {name} {uuid.uuid4().hex}".encode()
        if not self._state.acquire(lock, holder, ends - begun):
            raise self._busy(lock, name)
        try:
            # Look again: the previous holder of the lock may have written with the same key.
            known, lost = self._known(name, write)
            if known is not None and known.answer is not None:
                return kept.replay(write, known.answer), True
            # The record of a write without a key is not stored.
            body = self._records.fingerprint(write.body) if name is not None else ""
            fresh = Record(body=body, begun=begun, ends=ends, doubtful=lost)
            record = replace(known, begun=begun, ends=ends) if known is not None else fresh
            attempt = Attempt(self._records, write, name, record, self._now)
            try:
                result = work(attempt)
            except GatewayError as error:
                attempt.failed(error)
                raise
            attempt.done(kept.keep(result))
            if kept.kind_of:
                self._state.put(f"{lock}:{kept.kind_of}", write.kind.encode(), KIND_KEPT)
            return result, False
        finally:
            self._state.remove(lock, holder)

    def _settle(self, write: Write) -> None:
        """Wait until each replica has told a new or changed Redis which writes are under way."""
        if not (wait := self._state.settles_in):
            return
        if write.errand.left - wait < FLOOR:
            raise GatewayError(ErrorCode.CUSTOMER_WRITE_IN_PROGRESS, retry_after=wait)
        time.sleep(wait)

    def _known(self, name: str | None, write: Write) -> tuple[Record | None, bool]:
        """The record of the write, and whether the state may have lost it."""
        known, lost = self._records.find(name) if name is not None else (None, False)
        if known is None:
            return None, lost
        if known.body != self._records.fingerprint(write.body):
            raise GatewayError(ErrorCode.IDEMPOTENCY_KEY_REUSED)
        if known.is_under_way(self._now()):
            left = pause(known.begun, known.ends, self._now())
            raise GatewayError(ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT, retry_after=left)
        return known, False

    def _busy(self, lock: str, name: str | None) -> GatewayError:
        """The problem while the same write, or another write, holds the subject's lock."""
        found = self._state.get(lock)
        if found is None:  # released meanwhile
            return GatewayError(ErrorCode.CUSTOMER_WRITE_IN_PROGRESS, retry_after=1.0)
        begun, ends, holder, _ = found.decode().split(" ")
        same = name is not None and name == holder
        return GatewayError(
            ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT if same else ErrorCode.CUSTOMER_WRITE_IN_PROGRESS,
            retry_after=pause(float(begun), float(ends), self._now()),
        )

    def _record_name(self, write: Write) -> str | None:
        parts = (write.errand.caller, write.kind, write.subject)
        return None if write.key is None else self._records.name("key", *parts, write.key)
