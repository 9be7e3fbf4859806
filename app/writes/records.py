"""The records of writes with an Idempotency-Key, and of the last write for each subject.

They hold fingerprints, states and times, and no personal value.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.state import Sealing, State

KEPT = 24 * 3600.0  # seconds
KIND_KEPT = 30 * 24 * 3600.0  # seconds; Huawei publishes no duration of a review


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The record of one Idempotency-Key.

    Args:
        body: The fingerprint of what is written.
        begun: When the try under way began, in seconds of the wall clock.
        ends: When it is over at the latest; in the past if none is under way.
        try_id: The last try that was sent; empty if nothing was sent yet.
        sent_at: When that try was sent.
        sent_to: The API that it was sent to.
        before: The subject's state before that try; empty if it is not known.
        answer: The answer, without personal values; None while the outcome is not known.
        doubtful: Whether the state may have lost the record of a try before this one.
    """

    body: str
    begun: float
    ends: float
    try_id: str = ""
    sent_at: float = 0.0
    sent_to: str = ""
    before: str = ""
    answer: Mapping[str, Any] | None = None
    doubtful: bool = False

    def is_under_way(self, now: float) -> bool:
        """Whether a try is under way, as far as its times tell.

        They do not tell it after the clock was put back. The lock of the subject does.
        """
        return self.answer is None and self.begun <= now < self.ends


def pause(begun: float, ends: float, now: float) -> float:
    """Seconds until a repeat makes sense: the age of the write, but not beyond its end.

    A write usually takes a second. If it takes much longer, a killed process left it behind.
    """
    return max(1.0, min(now - begun, ends - now))


class Records:
    """The records of one account's writes.

    Args:
        account: The account's name.
        state: Stores the records for all replicas.
        sealing: Computes the fingerprints.
    """

    def __init__(self, account: str, state: State, sealing: Sealing) -> None:
        self._account = account
        self._state = state
        self._sealing = sealing

    def name(self, what: str, *parts: str) -> str:
        """The name of a value in the state: a keyed fingerprint that does not reveal the parts."""
        return f"{what}:{self._sealing.fingerprint(what, self._account, *parts)}"

    def fingerprint(self, body: Mapping[str, Any]) -> str:
        """A keyed fingerprint of a body. It does not reveal the body."""
        return self._sealing.fingerprint("body", json.dumps(body, sort_keys=True))

    def find(self, name: str) -> tuple[Record | None, bool]:
        """The record of this name, and whether the state may have lost it.

        A record that cannot be read counts as lost.
        """
        found = self._state.recall(name, KEPT)
        if found.value is None:
            return None, not found.certain
        try:
            return Record(**json.loads(found.value)), False
        except (TypeError, ValueError):
            return None, True

    def keep(self, name: str, record: Record) -> None:
        """Store a record."""
        self._state.put(name, json.dumps(asdict(record)).encode(), KEPT)

    def forget(self, name: str) -> None:
        """Delete a record."""
        self._state.delete(name)

    def mark_last(self, subject: str, try_id: str) -> None:
        """Store a try as the last write for a subject."""
        self._state.put(self.name("last", subject), try_id.encode(), KEPT)

    def unmark_last(self, subject: str, try_id: str) -> None:
        """Forget a try that changed nothing, if it is the last write for a subject."""
        self._state.remove(self.name("last", subject), try_id.encode())

    def kind(self, subject: str, kind_of: str) -> str | None:
        """The kind of the last successful write that tells it; None if it is not known."""
        found = self._state.get(f"{self.name('write', subject)}:{kind_of}")
        return None if found is None else found.decode()

    def last(self, subject: str) -> tuple[str | None, bool]:
        """The id of the last known try of a write for a subject, and whether it is surely the last.

        None if no try is known. While the shared state is lost, or has lost the id, a process knows
        its own tries only: another replica may have sent a later one.
        """
        last = self._state.recall(self.name("last", subject), KEPT)
        return (None if last.value is None else last.value.decode()), not last.own

    def remember(self, subject: str, kind_of: str, kind: str | None) -> None:
        """Store the kind of the last successful write that tells it; None forgets it."""
        name = f"{self.name('write', subject)}:{kind_of}"
        if kind is None:
            self._state.delete(name)
        else:
            self._state.put(name, kind.encode(), KIND_KEPT)
