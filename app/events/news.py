"""Wakes the requests that wait for events. One thread a process reads, while a request waits."""

import threading
from dataclasses import dataclass, field

from app.events.event import Event, Visible
from app.observability import metrics
from app.state import Stream, StreamLost, order

# Seconds of one read of the news. It is well below the timeout of Redis's connections, so that a
# slow Redis is not taken for a lost one.
BLOCK = 0.25


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request that waits.

    Args:
        visible: Whether its caller sees an event.
        told: Is set when there may be a new event for it.
    """

    visible: Visible
    told: threading.Event = field(default_factory=threading.Event)


class News:
    """The new events of a stream.

    Args:
        stream: The events.
        draining: Is set when the process begins to shut down; this ends every wait.
    """

    def __init__(self, stream: Stream, draining: threading.Event) -> None:
        self._stream = stream
        self._draining = draining
        self._lock = threading.Lock()
        self._waiting: set[_Waiting] = set()
        self._reading = False
        self._place = ""  # the reader tells everybody of the events after it

    def wait(self, place: str, seconds: float, visible: Visible) -> None:
        """Wait for a visible event after a place. The wait may end early, without an event.

        Args:
            place: The id up to which the events are known.
            seconds: The longest wait.
            visible: Whether an event ends the wait.
        """
        one = _Waiting(visible)
        with self._lock:
            self._waiting.add(one)
            if not self._reading:
                self._reading, self._place = True, place
                threading.Thread(target=self._read, name="events", daemon=True).start()
            elif order(place) < order(self._place):
                self._place = place  # the reader is past an event that this one has not seen
        with metrics.EVENTS_WAITING.track_inprogress():
            one.told.wait(seconds)
        with self._lock:
            self._waiting.discard(one)

    def _read(self) -> None:
        try:
            self._tell()
        except BaseException:
            with self._lock:
                self._reading = False  # so that the next one who waits starts another reader
            raise

    def _tell(self) -> None:
        lost = False
        while self._goes_on():
            place = self._place
            try:
                added = self._stream.wait(place, BLOCK)
            except StreamLost:
                lost = True
                self._draining.wait(BLOCK)
                continue
            with self._lock:
                if added and self._place == place:
                    self._place = added[-1].id
                waiting = list(self._waiting)
            events = [Event.load(one.value) for one in added]
            for one in waiting:
                # Redis may have come back without its events: every waiting request reads again.
                if lost or any(event is None or one.visible(event) for event in events):
                    one.told.set()
            lost = False

    def _goes_on(self) -> bool:
        """Whether the reader continues: a request waits, and the process does not shut down."""
        with self._lock:
            self._reading = bool(self._waiting) and not self._draining.is_set()
            if not self._reading:
                for one in self._waiting:
                    one.told.set()
            return self._reading
