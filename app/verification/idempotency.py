"""One write at a time for a customer, and each Idempotency-Key once.

What is kept: fingerprints of key and body, the phase, and the status that was answered; nothing
personal.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from app.errors import ErrorCode, GatewayError, Retry
from app.state import Sealing, State
from app.verification.model import Kind, Status, Verification

KEPT = 24 * 3600.0  # seconds
# Longer than any request takes: what is older was left behind by a process that died.
UNDER_WAY = 40.0  # seconds


@dataclass(frozen=True, slots=True)
class _Record:
    body: str
    done: bool
    since: float
    status: str = ""
    backend: str = ""
    checked_at: float = 0.0
    reconciled: bool = False

    def encoded(self) -> bytes:
        return json.dumps(asdict(self)).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A write as its caller asked for it.

    Args:
        caller: The caller.
        kind: What is submitted.
        customer_id: For whom.
        body: What is submitted.
        key: The Idempotency-Key, if there is one.
    """

    caller: str
    kind: Kind
    customer_id: str
    body: Mapping[str, Any]
    key: str | None


class Writes:
    """The writes of one account.

    Args:
        account: The account's name.
        state: Keeps the records, for all replicas.
        sealing: Makes the fingerprints.
        shared: Whether the configuration says that replicas share the state.
        now: The wall clock, in seconds.
    """

    def __init__(
        self,
        account: str,
        state: State,
        sealing: Sealing,
        *,
        shared: bool,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._state = state
        self._sealing = sealing
        self._shared = shared
        self._now = now

    def run(self, write: Write, work: Callable[[bool], Verification]) -> tuple[Verification, bool]:
        """Do the work, unless its outcome is known; the outcome, and whether it was known.

        Args:
            write: The write.
            work: Does it. Its argument says whether the same was begun before and its outcome
                is not known: then it must not be sent blindly.

        Raises:
            GatewayError: IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_FLIGHT, or what the work
                ended in.
        """
        record = None
        if write.key is not None:
            record = self._name("key", write.caller, write.kind, write.customer_id, write.key)
            known = self._known(record, write)
            if known is not None and known.done:
                return _replayed(write, known), True
        turn = self._name("write", write.customer_id)
        if not self._state.add(turn, b"1", UNDER_WAY):
            raise GatewayError(
                ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT,
                "Another write for this customer is under way.",
                retry_after=1.0,
            )
        try:
            # Once more: the one who had the turn before may have written under the same key.
            known = self._known(record, write) if record else None
            if known is not None and known.done:
                return _replayed(write, known), True
            # A state that was lost may have held a record.
            lost = record is not None and self._shared and not self._state.shared
            return self._work(write, record, known is not None or lost, work), False
        finally:
            self._state.delete(turn)

    def _work(
        self,
        write: Write,
        record: str | None,
        resumed: bool,
        work: Callable[[bool], Verification],
    ) -> Verification:
        if record is None:
            return work(resumed)
        begun = _Record(self._fingerprint(write), done=False, since=self._now())
        self._state.put(record, begun.encoded(), KEPT)
        try:
            result = work(resumed)
        except GatewayError as error:
            if resumed or error.code.write_retry is Retry.SAME_KEY:
                # The outcome, of this try or of an earlier one, is still not known.
                left = _Record(begun.body, done=False, since=0.0)
                self._state.put(record, left.encoded(), KEPT)
            else:
                # Nothing was processed: the key may be used again.
                self._state.delete(record)
            raise
        done = _Record(
            begun.body,
            done=True,
            since=begun.since,
            status=result.status,
            backend=result.backend,
            checked_at=result.checked_at.timestamp(),
            reconciled=result.reconciled,
        )
        self._state.put(record, done.encoded(), KEPT)
        return result

    def _known(self, record: str, write: Write) -> _Record | None:
        found = self._state.get(record, own=True)
        if found is None:
            return None
        known = _Record(**json.loads(found))
        if known.body != self._fingerprint(write):
            raise GatewayError(ErrorCode.IDEMPOTENCY_KEY_REUSED)
        if not known.done and self._now() - known.since < UNDER_WAY:
            raise GatewayError(ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT, retry_after=1.0)
        return known

    def _fingerprint(self, write: Write) -> str:
        return self._sealing.fingerprint("body", json.dumps(write.body, sort_keys=True))

    def _name(self, what: str, *parts: str) -> str:
        return f"{what}:{self._sealing.fingerprint(what, self._account, *parts)}"


def _replayed(write: Write, known: _Record) -> Verification:
    return Verification(
        customer_id=write.customer_id,
        kind=write.kind,
        status=Status(known.status),
        backend=known.backend,
        checked_at=datetime.fromtimestamp(known.checked_at, UTC),
        reconciled=known.reconciled,
    )
