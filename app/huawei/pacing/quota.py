"""The fair queue in front of each of Huawei's APIs.

Huawei limits the calls a second for each API, source address and account (throttling page
en-us_topic_0000002060988265). All callers and all replicas of the gateway share this quota.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from app.errors import ErrorCode, GatewayError
from app.huawei.operation import Operation
from app.huawei.pacing.deadline import FLOOR, Errand
from app.observability import metrics
from app.state import Slot, State

# Pace calls 4 % slower than allowed: network jitter compresses the gaps. Written as the seconds
# in which the quota of one second is used.
MARGIN = 1.04
EARLY, LATE = 0.01, 0.02  # seconds before and after its slot in which a call may be sent
MOST_MISSED = 2  # slots; then a call is sent late, as it may be each time with too little CPU time


@dataclass(frozen=True, slots=True)
class _Held:
    """A reserved slot, and between which times of the monotonic clock its call may be sent."""

    slot: Slot
    begins: float
    ends: float


@dataclass(slots=True, eq=False)
class _Ticket:
    errand: Errand
    write: bool
    changed: threading.Condition
    granted: _Held | None = None


@dataclass(slots=True)
class _Line:
    """The waiting tickets of one priority, served round robin by caller, then in order."""

    callers: OrderedDict[str, deque[_Ticket]] = field(default_factory=OrderedDict)

    def add(self, ticket: _Ticket) -> None:
        self.callers.setdefault(ticket.errand.caller, deque()).append(ticket)

    def add_first(self, ticket: _Ticket) -> None:
        self.callers.setdefault(ticket.errand.caller, deque()).appendleft(ticket)
        self.callers.move_to_end(ticket.errand.caller, last=False)

    def remove(self, ticket: _Ticket) -> None:
        tickets = self.callers[ticket.errand.caller]
        tickets.remove(ticket)
        if not tickets:
            del self.callers[ticket.errand.caller]

    def first(self) -> _Ticket | None:
        return next((tickets[0] for tickets in self.callers.values()), None)

    def grant(self, ticket: _Ticket, held: _Held) -> None:
        """Remove a ticket, give it the slot and put its caller at the end of the line."""
        self.remove(ticket)
        if ticket.errand.caller in self.callers:
            self.callers.move_to_end(ticket.errand.caller)
        ticket.granted = held
        ticket.changed.notify()


class Quota:
    """The queue of one account in front of one API.

    Each process holds at most one reserved slot, and gives it to the first waiting ticket when
    its time comes. So replicas get slots in turn, however near each is to the state.

    Args:
        account: The account's name.
        api: Method and path; the key of the API in the state.
        operation: The queue's name in metrics.
        calls_per_second: The calls a second that Huawei allows.
        state: Counts the calls of all replicas.
        monotonic: The clock of the slots, in seconds.
    """

    def __init__(
        self,
        account: str,
        api: str,
        operation: str,
        calls_per_second: float,
        state: State,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key = f"quota:{account}:{api}"
        self._calls = calls_per_second
        self._state = state
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._urgent, self._polls, self._watching = _Line(), _Line(), _Line()
        self._leader: _Ticket | None = None  # the ticket whose thread reserves for all
        self._held: _Held | None = None
        self._waiting = metrics.QUEUE_DEPTH.labels(account, operation)
        self._waited = metrics.QUEUE_SECONDS.labels(account, operation)

    def wait(
        self, errand: Errand, write: bool, valid: Callable[[], bool] = lambda: True
    ) -> Callable[[], None]:
        """Wait for the slot of one call.

        Args:
            errand: The caller, the priority and the deadline.
            write: Whether the call writes.
            valid: Whether the call may still be sent, after another wait.

        Returns:
            What to call at the last moment before the call is sent. If the slot was missed, it
            waits for another one, in front of the line, and raises the same errors.

        Raises:
            GatewayError: DEADLINE_EXCEEDED if too little time is left to wait; OVERLOADED if no
                slot comes in time. The call must then not be sent.
        """
        ticket = _Ticket(errand, write, threading.Condition(self._lock))
        return partial(self._confirm, ticket, self._wait(ticket, self._line(errand).add), valid)

    def _confirm(self, ticket: _Ticket, held: _Held, valid: Callable[[], bool]) -> None:
        for _ in range(MOST_MISSED):
            if self._monotonic() <= held.ends:
                return
            with self._lock:
                self._held = self._held or held  # so that it can move to the present
            ticket.granted = None
            held = self._wait(ticket, self._line(ticket.errand).add_first)
            if not valid():
                raise GatewayError(ErrorCode.OVERLOADED, retry_after=1.0, write=ticket.write)

    def _wait(self, ticket: _Ticket, enter: Callable[[_Ticket], None]) -> _Held:
        begun = left = ticket.errand.check(ticket.write) - FLOOR
        with self._lock:
            enter(ticket)
            self._waiting.inc()
            try:
                while ticket.granted is None and left > 0:
                    pause = self._grant_slots(ticket)
                    if ticket.granted is None:
                        ticket.changed.wait(min(left, pause))
                        left = ticket.errand.left - FLOOR
                if ticket.granted is None:
                    self._line(ticket.errand).remove(ticket)
                    raise GatewayError(ErrorCode.OVERLOADED, retry_after=1.0, write=ticket.write)
            finally:
                self._waiting.dec()
                self._hand_over(ticket)
        self._waited.observe(begun - left)
        return ticket.granted

    def _grant_slots(self, ticket: _Ticket) -> float:
        """Grant slots to the waiting tickets until this one has its slot or must wait for one.

        One thread, the leader, reserves for all: the state is asked once for each call and not
        once for each waiting request. Returns the seconds until the thread must call again;
        infinity if another thread is the leader.
        """
        if self._leader not in (None, ticket):
            return float("inf")
        self._leader = ticket
        while ticket.granted is None:
            held = self._next_slot()
            pause = held.begins - self._monotonic()
            if pause > 0:
                return pause
            following = self._first() or ticket
            self._held = None
            self._line(following.errand).grant(following, held)
        return 0.0

    def _line(self, errand: Errand) -> _Line:
        if errand.watches:
            return self._watching
        return self._urgent if errand.urgent else self._polls

    def _first(self) -> _Ticket | None:
        return self._urgent.first() or self._polls.first() or self._watching.first()

    def _next_slot(self) -> _Held:
        """The held slot; reserves a slot if none is held.

        A slot that was missed is lost, so that no burst leaves after a pause of this process. If
        no replica has reserved a later slot, the missed slot moves to the present.
        """
        held = self._held
        if held is None or self._monotonic() > held.ends:
            self._lock.release()  # only the leader reserves; the others come, leave and go on
            try:
                held = self._reserve(None if held is None else held.slot)
                if self._monotonic() > held.ends:  # the answer was late, as after a stall
                    held = self._reserve(held.slot)
                    # The state can be so far away that each answer is late.
                    held = replace(held, ends=max(held.ends, self._monotonic() + LATE))
            finally:
                self._lock.acquire()
            self._held = held
        return held

    def _reserve(self, late: Slot | None) -> _Held:
        asked = self._monotonic()
        slot = self._state.reserve(self._key, self._calls, MARGIN, late)
        # The state answers at a moment between the question and the answer.
        due = (asked + self._monotonic()) / 2 + slot.wait
        return _Held(slot, due - EARLY, due + LATE)

    def _hand_over(self, ticket: _Ticket) -> None:
        """Appoint and wake another leader if this ticket's thread was the leader."""
        if self._leader is ticket:
            # Appointed now: if its time is over when it wakes, it still hands over.
            self._leader = self._first()
            if self._leader is not None:
                self._leader.changed.notify()


class Quotas:
    """The queues of one account, one in front of each API.

    Args:
        account: The account's name.
        calls_per_second: What Huawei allows to each API.
        state: Counts the calls of all replicas.
    """

    def __init__(self, account: str, calls_per_second: float, state: State) -> None:
        self._account = account
        self._calls = calls_per_second
        self._state = state
        self._lock = threading.Lock()
        self._queues: dict[tuple[str, str], Quota] = {}

    def of(self, operation: Operation) -> Quota:
        """The queue in front of the operation's API."""
        api = (operation.method, operation.path)
        with self._lock:
            if api not in self._queues:
                name = operation.queue or operation.name
                calls = min(self._calls, operation.calls_per_second or self._calls)
                self._queues[api] = Quota(self._account, " ".join(api), name, calls, self._state)
            return self._queues[api]
