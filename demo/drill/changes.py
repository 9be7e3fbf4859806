"""What changes under load: gateways, keys, Redis, signals, connections."""

import contextlib
import signal
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

from demo.cluster import FIRST_PAIR, Cluster, Replacement
from demo.drill.load import Load
from demo.drill.rows import Row, none, seconds
from demo.drill.watch import is_degraded
from demo.processes import wait_until

HEALED = 15.0  # seconds
CONNECTIONS = 1400  # of each kind to each gateway, which serves 2,000
HELD = 3.0  # seconds
HEAD = b"GET /livez HTTP/1.1\r\nX-Filler: " + b"x" * 8000


class Change(ABC):
    """A change that is made again and again.

    Args:
        cluster: What changes.
        load: The load meanwhile.
    """

    least = 1  # times in a drill

    def __init__(self, cluster: Cluster, load: Load) -> None:
        self.cluster = cluster
        self.load = load
        self.times = 0

    @abstractmethod
    def make(self) -> None:
        """Make the change once."""

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """What came out."""


class Replace(Change):
    """Replaces one gateway after the other, as a rolling update does."""

    least = 2

    def __init__(self, cluster: Cluster, load: Load) -> None:
        super().__init__(cluster, load)
        self._made: list[Replacement] = []

    def make(self) -> None:
        """End a gateway by SIGTERM and start a new one."""
        self._made.append(self.cluster.replace(self.times % 2))

    def rows(self) -> Iterator[Row]:
        """Exits, ends and starts."""
        yield Row("gateways replaced", len(self._made))
        yield none("… that did not end with 0", sum(one.status != 0 for one in self._made))
        yield seconds("… longest end", max(one.end_seconds for one in self._made))
        yield seconds("… longest start", max(one.start_seconds for one in self._made))


class Rotate(Change):
    """Rotates the partner's key."""

    def __init__(self, cluster: Cluster, load: Load) -> None:
        super().__init__(cluster, load)
        self._pair = FIRST_PAIR

    def make(self) -> None:
        """Rotate the key once."""
        self._pair = self.cluster.rotate(self.times + 1, self._pair)

    def rows(self) -> Iterator[Row]:
        """The number of rotations."""
        yield Row("keys rotated", self.times)


class FailOver(Change):
    """Makes the replica of Redis the master; the old master refuses writes and stays there."""

    def __init__(self, cluster: Cluster, load: Load) -> None:
        super().__init__(cluster, load)
        self._longest = 0.0

    def make(self) -> None:
        """Fail over, wait until every gateway is on the new master, and repeat submissions."""
        begun = time.monotonic()
        self.cluster.redis.fail_over()
        wait_until(self.cluster.redis.is_old_master_left, "leaving the old master", 2 * HEALED)
        wait_until(lambda: not is_degraded(self.cluster), "finding the new master", 2 * HEALED)
        self._longest = max(self._longest, time.monotonic() - begun)
        self.load.repeat()

    def rows(self) -> Iterator[Row]:
        """The time until all gateways were on the new master."""
        yield Row("failovers of Redis", self.times)
        yield seconds("… longest until all gateways used the new master", self._longest, HEALED)


class Empty(Change):
    """Deletes all that Redis holds."""

    def make(self) -> None:
        """Empty Redis and repeat submissions whose records are lost."""
        self.cluster.redis.empty()
        self.load.repeat()

    def rows(self) -> Iterator[Row]:
        """The number of times."""
        yield Row("times that Redis was emptied", self.times)


class Reload(Change):
    """Sends SIGHUP, on which gunicorn would replace its worker."""

    def __init__(self, cluster: Cluster, load: Load) -> None:
        super().__init__(cluster, load)
        self._workers = cluster.workers

    def make(self) -> None:
        """Send SIGHUP to every gateway."""
        self.cluster.signal(signal.SIGHUP)

    def rows(self) -> Iterator[Row]:
        """Signals, the log's lines on them, and workers."""
        sent = self.times * len(self.cluster.gateways)
        told = self.cluster.count_lines("SIGHUP is ignored: a changed configuration needs")
        yield Row("SIGHUPs sent", sent)
        yield none("… without a line in the log", sent - told)
        yield none("workers replaced", len(set(self._workers) - set(self.cluster.workers)))


class Hog(Change):
    """Opens idle connections and unfinished heads, more than a gateway serves."""

    def __init__(self, cluster: Cluster, load: Load) -> None:
        super().__init__(cluster, load)
        self._workers = cluster.workers

    def make(self) -> None:
        """Hold the connections for some seconds."""
        with ExitStack() as stack:
            for number in range(2 * CONNECTIONS):
                for url in self.cluster.urls:
                    with contextlib.suppress(OSError):
                        address = ("127.0.0.1", urlsplit(url).port)
                        opened = stack.enter_context(socket.create_connection(address, 3))
                        if number % 2:
                            opened.sendall(HEAD)
            time.sleep(HELD)

    def rows(self) -> Iterator[Row]:
        """Connections, and workers."""
        yield Row("connections opened to each gateway", 2 * CONNECTIONS * self.times)
        yield none("workers replaced", len(set(self._workers) - set(self.cluster.workers)))
