"""Delivers a caller's events to its webhook. Of all replicas, the one that holds a lease does."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from app.errors import ErrorCode, GatewayError
from app.events.event import Visible
from app.events.feed import Entry, Feed
from app.events.lease import RETRY, Lease
from app.events.outbox import Outbox
from app.events.webhooks import Outcome, Try, Webhook
from app.observability import metrics
from app.observability.logs import event, logger, unexpected
from app.state import State

KEPT = 30 * 24 * 3600.0  # seconds for which an outbox is kept without a change
RENEWAL = 3600.0  # seconds after which an unchanged outbox is kept anew

FULL = 1.0  # seconds, the longest wait for room in a full outbox

_log = logger("webhooks")


class Deliveries:
    """The deliveries to one caller, each event at least once.

    Args:
        caller: The caller's name.
        webhook: Sends an event.
        feed: The events.
        visible: Whether the caller sees an event.
        state: Holds the lease and the events that wait.
        draining: Is set when the process begins to shut down; no further try begins then.
        in_flight: The number of events that may be on their way at once.
        pause: The longest wait before the lease is renewed, in seconds.
        now: The wall clock, in seconds, for the age of events.
        monotonic: The clock of pauses, in seconds.
    """

    def __init__(
        self,
        caller: str,
        webhook: Webhook,
        feed: Feed,
        visible: Visible,
        state: State,
        draining: threading.Event,
        *,
        in_flight: int,
        pause: float = RETRY,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._caller = caller
        self._webhook = webhook
        self._feed = feed
        self._visible = visible
        self._state = state
        self._draining = draining
        self._in_flight = in_flight
        self._pause = pause
        self._now = now
        self._monotonic = monotonic
        self._key = f"outbox of {caller}"
        self._lease = Lease(state, f"the webhook of {caller}")
        self._changed = threading.Condition()  # guards what follows, and the outbox
        self._outbox: Outbox | None = None  # what this replica delivered from last
        self._sending = 0
        self._saving = threading.Lock()
        self._saved_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        for outcome in Outcome:  # so that `increase()` sees the first try
            metrics.WEBHOOK_TRIES.labels(caller, outcome)
        metrics.WEBHOOK_EVENTS_DROPPED.labels(caller)

    def start(self) -> None:
        """Deliver, in a thread, what happens from now on and what waits from before."""
        with suppress(GatewayError):  # Redis is lost: the thread loads again
            self._load()
        self._thread.start()

    @property
    def waiting(self) -> tuple[int, float]:
        """The number of events that wait here, and the age of the oldest in seconds."""
        with self._changed:
            outbox = self._outbox
            if outbox is None or not self._lease.own or (oldest := outbox.oldest) is None:
                return 0, 0.0
            return outbox.count, max(0.0, self._now() - oldest.timestamp())

    def _run(self) -> None:
        while not self._draining.is_set():
            try:
                if self._lease.hold():
                    self._deliver()
            except GatewayError:  # Redis is lost
                pass
            except Exception as error:  # the thread must not end
                unexpected(error, "webhooks")
            self._draining.wait(self._pause)
        with self._changed:  # wait for the tries in progress, so that no event is sent twice
            self._changed.wait_for(lambda: not self._sending, self._webhook.timeout)
        self._lease.release()

    def _deliver(self) -> None:
        """Deliver while this replica holds the lease. If it lost it meanwhile, load again."""
        outbox = self._load()
        with self._changed:
            self._outbox = outbox
        while not self._draining.is_set() and self._lease.own and self._lease.hold():
            self._dispatch(outbox)
            self._take(outbox)
            self._save(outbox)

    def _load(self) -> Outbox:
        """The stored outbox. The outbox of a new webhook is empty and begins at the newest event.

        If Redis came back empty, this replica continues with its own outbox. The new feed does not
        know the place of that outbox, so the gap is reported.
        """
        dumped = self._state.get(self._key)
        if dumped is None and self._outbox is not None:
            self._outbox.changed = True
            return self._outbox
        if dumped is None:
            begun = Outbox(self._feed.newest())
            self._state.add(self._key, begun.dump(), KEPT)
            dumped = self._state.get(self._key)
            if dumped is None:
                return begun
        outbox = Outbox.load(dumped)
        if outbox is None:
            outbox = Outbox(self._feed.newest())
            outbox.changed = True
            self._report_gap()
        return outbox

    def _take(self, outbox: Outbox) -> None:
        """Take new events from the feed, or wait for some until another event is due."""
        with self._changed:
            seconds = self._pause
            if self._sending < self._in_flight:  # otherwise a thread goes on with what is due
                seconds = min(seconds, outbox.pause(self._monotonic()))
            room = outbox.room
            if not room:
                self._changed.wait(min(seconds, FULL))
                return
        try:
            entries = self._feed.wait(outbox.place, room, seconds, self._visible)
        except GatewayError as error:
            if error.code is not ErrorCode.EVENTS_GONE or error.next is None:
                raise
            self._report_gap()
            with self._changed:
                outbox.place, outbox.changed = error.next, True
            return
        with self._changed:
            outbox.put(entries)

    def _dispatch(self, outbox: Outbox) -> None:
        """Send events that are due, each in a thread, which goes on with others that are due."""
        while (entry := self._next(outbox)) is not None:
            threading.Thread(target=self._work, args=(outbox, entry), daemon=True).start()

    def _next(self, outbox: Outbox) -> Entry | None:
        with self._changed:
            if self._sending >= self._in_flight or not self._goes_on(outbox):
                return None
            entry = outbox.next(self._monotonic())
            self._sending += entry is not None
            return entry

    def _goes_on(self, outbox: Outbox) -> bool:
        return self._is_current(outbox) and not self._draining.is_set()

    def _is_current(self, outbox: Outbox) -> bool:
        return self._lease.own and self._outbox is outbox

    def _work(self, outbox: Outbox, entry: Entry | None) -> None:
        while entry is not None:
            try:
                found = self._try(entry)
                with self._changed:
                    self._settle(outbox, entry, found)
                self._save(outbox)
            finally:
                with self._changed:
                    self._sending -= 1
                    self._changed.notify_all()
            entry = self._next(outbox)

    def _try(self, entry: Entry) -> Try:
        try:
            found = self._webhook.send(entry)
        except Exception as error:  # the event would wait for its answer for ever
            unexpected(error, "webhooks")
            found = Try(Outcome.FAILED)
        metrics.WEBHOOK_TRIES.labels(self._caller, found.outcome).inc()
        return found

    def _settle(self, outbox: Outbox, entry: Entry, found: Try) -> None:
        about = {
            "caller": self._caller,
            "event_id": entry.id,
            "type": entry.event.type,
            "outcome": found.outcome,
            "status": found.status,
        }
        if found.outcome is Outcome.DELIVERED:
            tries = outbox.delivered(entry)
            event(_log, logging.INFO, "An event was delivered", **about, tries=tries)
            return
        age = self._now() - entry.event.occurred_at.timestamp()
        tries, pause = outbox.failed(entry, self._monotonic(), age)
        if pause is None:
            metrics.WEBHOOK_EVENTS_DROPPED.labels(self._caller).inc()
            text = "An event was dropped: its webhook accepted it in no try"
            event(_log, logging.ERROR, text, **about, tries=tries)
            return
        text = "An event was not delivered and is sent again"
        event(_log, logging.WARNING, text, **about, tries=tries, next_try_s=pause)

    def _save(self, outbox: Outbox) -> None:
        """Store the events that wait, if they changed."""
        with self._saving:
            with self._changed:
                stale = self._monotonic() - self._saved_at > RENEWAL
                if not (outbox.changed or stale) or not self._is_current(outbox):
                    return
                dumped, self._saved_at = outbox.dump(), self._monotonic()
            self._state.put(self._key, dumped, KEPT)

    def _report_gap(self) -> None:
        metrics.WEBHOOK_EVENTS_DROPPED.labels(self._caller).inc()
        text = "Events were dropped before they were sent to the webhook; it gets the later ones"
        event(_log, logging.ERROR, text, caller=self._caller)
