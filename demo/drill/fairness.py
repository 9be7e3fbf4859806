"""Two gateways that always have requests waiting, one of them farther from Redis."""

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import IO

import urllib3

from demo.cluster import Cluster, ask
from demo.drill.rows import Row, none
from demo.local import KEY

QUOTA = 10  # calls a second, as Huawei allows
DELAYS = (0.0, 0.001)  # seconds: a question to Redis and its answer take 2 ms more
CALLERS = 8  # of each gateway
DIFFERENCE = 0.1  # of the larger number of calls
USED = 0.95  # of the quota


def most_in_a_second(times: Sequence[float]) -> int:
    """The largest number of times within one second."""
    times = sorted(times)
    return max((bisect_left(times, at + 1.0) - place for place, at in enumerate(times)), default=0)


@dataclass(frozen=True, slots=True)
class Fairness:
    """The calls of both gateways.

    Args:
        near: Requests that the gateway near Redis served, with one call each.
        far: The same of the gateway farther from Redis.
        refused: Requests that were answered with an error.
        used: The part of the quota that was used.
        most: The most calls in one second.
    """

    near: int
    far: int
    refused: int
    used: float
    most: int

    @property
    def difference(self) -> float:
        """The difference between the gateways as a part of the larger number."""
        return abs(self.near - self.far) / max(self.near, self.far, 1)

    def rows(self) -> Iterator[Row]:
        """The rows of the drill's table."""
        unfair = self.difference > DIFFERENCE
        yield Row("calls of the gateway near Redis", self.near, unfair)
        yield Row("calls of the gateway 2 ms farther", self.far, unfair)
        yield none("requests refused", self.refused)
        yield Row("part of the quota that was used", f"{self.used:.1%}", self.used < USED)
        yield Row(f"most calls in one second (quota {QUOTA})", self.most, self.most > QUOTA)


def measure(log: IO[bytes], seconds: float) -> Fairness:
    """Read from both gateways at once, each by callers that never pause."""
    with Cluster(None, log, QUOTA, DELAYS) as cluster:
        ask("PATCH", f"{cluster.sandbox_url}/settings", json={"requests_per_second": None})
        pool = urllib3.PoolManager(maxsize=2 * CALLERS, retries=False, timeout=40)
        served, refused = [0, 0], [0, 0]
        lock = threading.Lock()

        def read(place: int, customer: str) -> bool:
            url = f"{cluster.urls[place]}/v1/customers/{customer}/verification"
            return pool.request("GET", url, headers={"Authorization": f"Bearer {KEY}"}).status < 300

        def call(place: int, caller: int) -> None:
            for number in count():
                if time.monotonic() > ends:
                    return
                done = read(place, f"fair-{place}-{caller}-{number}")
                with lock:
                    (served if done else refused)[place] += 1

        for place in range(2):
            read(place, "first")  # proves the key
        ends = time.monotonic() + seconds
        threads = [
            threading.Thread(target=call, args=(place, caller))
            for caller in range(CALLERS)
            for place in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        recorded = ask("GET", f"{cluster.sandbox_url}/requests").json()
    times = [one["at"] for one in recorded if one["operation"] == "result"][2:]
    # The last requests of a gateway may end later than those of the other.
    used = (len(times) - 1) / (times[-1] - times[0]) / QUOTA
    return Fairness(served[0], served[1], sum(refused), used, most_in_a_second(times))


def rows(log: IO[bytes], seconds: float) -> Iterator[Row]:
    """The rows of the drill's table."""
    return measure(log, seconds).rows()
