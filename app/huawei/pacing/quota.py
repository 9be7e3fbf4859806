"""The fair queue in front of each of Huawei's APIs.

Huawei allows so many calls a second for each API, source address and account (throttling page
en-us_topic_0000002060988265): behind one gateway all callers and all replicas share them.
"""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from app.errors import ErrorCode, GatewayError
from app.huawei.operation import Operation
from app.huawei.pacing.deadline import FLOOR, Errand
from app.observability import metrics
from app.state import State

# Calls are let go so much further apart than allowed, for they do not all take equally long to
# arrive: 95 % of the quota can be used.
MARGIN = 1.05


@dataclass(slots=True, eq=False)
class _Ticket:
    errand: Errand
    changed: threading.Condition
    granted: bool = False


@dataclass(slots=True)
class _Line:
    """Tickets of one urgency: callers take turns, each with its tickets in order."""

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

    def served(self, ticket: _Ticket) -> None:
        """Its caller has had its turn."""
        self.remove(ticket)
        if ticket.errand.caller in self.callers:
            self.callers.move_to_end(ticket.errand.caller)


class Quota:
    """The queue of one account in front of one API.

    Args:
        account: The account's name.
        api: Method and path, by which all replicas know it.
        operation: Its name in metrics.
        calls_per_second: What Huawei allows.
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
        self._asking: _Ticket | None = None
        self._waiting = metrics.QUEUE_DEPTH.labels(account, operation)
        self._waited = metrics.QUEUE_SECONDS.labels(account, operation)

    def wait(self, errand: Errand, write: bool) -> None:
        """Wait for the turn to make one call.

        Raises:
            GatewayError: DEADLINE_EXCEEDED if there is no time to wait; OVERLOADED if the turn
                does not come in time. Nothing may be sent then.
        """
        errand.check(write)
        if self._nobody_waits() and self._state.take(self._key, self._calls, MARGIN) == 0:
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
                    ticket.changed.wait(min(left, self._ask(ticket)))
            finally:
                self._waiting.dec()
                self._hand_over(ticket)
        self._waited.observe(max(0.0, begun - errand.left))

    def _nobody_waits(self) -> bool:
        return not self._urgent.callers and not self._polls.callers

    def _ask(self, ticket: _Ticket) -> float:
        """Let those whose turn it is go; seconds until it makes sense to look again.

        One of those who wait asks for all, so that the state is asked once a call and not once a
        waiting request.
        """
        if self._asking not in (None, ticket):
            return float("inf")
        self._asking = ticket
        while (next_one := self._urgent.first() or self._polls.first()) is not None:
            pause = self._state.take(self._key, self._calls, MARGIN)
            if pause > 0:
                return pause
            line = self._urgent if next_one.errand.urgent else self._polls
            line.served(next_one)
            next_one.granted = True
            next_one.changed.notify()
            if next_one is ticket:
                return 0.0
        return 0.0

    def _hand_over(self, ticket: _Ticket) -> None:
        """Have another one ask, where the one who did is done."""
        if self._asking is not ticket:
            return
        self._asking = None
        next_one = self._urgent.first() or self._polls.first()
        if next_one is not None:
            next_one.changed.notify()


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
                self._queues[api] = Quota(
                    self._account, " ".join(api), name, self._calls, self._state
                )
            return self._queues[api]
