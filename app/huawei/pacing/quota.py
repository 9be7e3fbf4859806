"""The fair queue in front of each of Huawei's APIs.

Huawei limits the calls a second for each API, source address and account (throttling page
en-us_topic_0000002060988265). All callers and all replicas of the gateway share this quota.
"""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from app.errors import ErrorCode, GatewayError
from app.huawei.operation import Operation
from app.huawei.pacing.deadline import FLOOR, Errand
from app.observability import metrics
from app.state import State

# Pace calls 5 % slower than allowed: network jitter compresses the gaps. Written as the seconds
# in which the quota of one second is used.
MARGIN = 1.05


@dataclass(slots=True, eq=False)
class _Ticket:
    errand: Errand
    changed: threading.Condition
    granted: bool = False


@dataclass(slots=True)
class _Line:
    """The waiting tickets of one priority, served round robin by caller, then in order."""

    callers: OrderedDict[str, deque[_Ticket]] = field(default_factory=OrderedDict)

    def add(self, ticket: _Ticket) -> None:
        self.callers.setdefault(ticket.errand.caller, deque()).append(ticket)

    def remove(self, ticket: _Ticket) -> None:
        tickets = self.callers[ticket.errand.caller]
        tickets.remove(ticket)
        if not tickets:
            del self.callers[ticket.errand.caller]

    def first(self) -> _Ticket | None:
        for tickets in self.callers.values():
            return tickets[0]
        return None

    def grant(self, ticket: _Ticket) -> None:
        """Remove a ticket and put its caller at the end of the line."""
        self.remove(ticket)
        if ticket.errand.caller in self.callers:
            self.callers.move_to_end(ticket.errand.caller)
        ticket.granted = True
        ticket.changed.notify()


class Quota:
    """The queue of one account in front of one API.

    Args:
        account: The account's name.
        api: Method and path; the key of the API in the state.
        operation: The queue's name in metrics.
        calls_per_second: The calls a second that Huawei allows.
        state: Counts the calls of all replicas.
    """

    def __init__(
        self, account: str, api: str, operation: str, calls_per_second: float, state: State
    ) -> None:
        self._key = f"quota:{account}:{api}"
        self._calls = calls_per_second
        self._state = state
        self._lock = threading.Lock()
        self._urgent, self._polls = _Line(), _Line()
        self._leader: _Ticket | None = None  # the ticket whose thread reserves for all
        self._waiting = metrics.QUEUE_DEPTH.labels(account, operation)
        self._waited = metrics.QUEUE_SECONDS.labels(account, operation)

    def wait(self, errand: Errand, write: bool) -> None:
        """Wait for the slot of one call.

        Args:
            errand: The caller, the priority and the deadline.
            write: Whether the call writes.

        Raises:
            GatewayError: DEADLINE_EXCEEDED if too little time is left to wait; OVERLOADED if no
                slot comes in time. The call must then not be sent.
        """
        errand.check(write)
        if self._is_empty() and self._state.reserve(self._key, self._calls, MARGIN) == 0:
            self._waited.observe(0)
            return
        begun = errand.left
        with self._lock:
            ticket = _Ticket(errand, threading.Condition(self._lock))
            line = self._urgent if errand.urgent else self._polls
            line.add(ticket)
            self._waiting.inc()
            try:
                while not ticket.granted:
                    left = errand.left - FLOOR
                    if left <= 0:
                        line.remove(ticket)
                        raise GatewayError(ErrorCode.OVERLOADED, retry_after=1.0, write=write)
                    ticket.changed.wait(min(left, self._grant_slots(ticket)))
            finally:
                self._waiting.dec()
                self._hand_over(ticket)
        self._waited.observe(max(0.0, begun - errand.left))

    def _is_empty(self) -> bool:
        return not self._urgent.callers and not self._polls.callers

    def _grant_slots(self, ticket: _Ticket) -> float:
        """Reserve slots for the waiting tickets until this one has its slot or the quota is used.

        One thread, the leader, reserves for all: the state is asked once for each call and not
        once for each waiting request.

        Returns:
            Seconds until the thread must call again; infinity if another thread is the leader.
        """
        if self._leader not in (None, ticket):
            return float("inf")
        self._leader = ticket
        while (following := self._urgent.first() or self._polls.first()) is not None:
            pause = self._state.reserve(self._key, self._calls, MARGIN)
            if pause > 0:
                return pause
            line = self._urgent if following.errand.urgent else self._polls
            line.grant(following)
            if following is ticket:
                return 0.0
        return 0.0

    def _hand_over(self, ticket: _Ticket) -> None:
        """Wake another thread to become the leader if this ticket's thread was the leader."""
        if self._leader is not ticket:
            return
        self._leader = None
        following = self._urgent.first() or self._polls.first()
        if following is not None:
            following.changed.notify()


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
