"""Runs the drills one after the other and prints a table for each.

haproxy stands in front of two gateways on one Redis. Each drill sends requests at a constant rate
that does not wait for answers, while something changes again and again. Exits with 1 if a request
failed, a submission was lost or done twice, or a limit was passed. DRILLS names the drills to run;
DRILL_SECONDS is the duration of each, 30 by default; DRILL_RATE the number of requests a second,
50 by default.
"""

import os
import resource
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from typing import IO

from demo.cluster import Cluster, ask
from demo.drill import fairness, watching
from demo.drill.changes import Change, Empty, FailOver, Hog, Reload, Replace, Rotate
from demo.drill.load import Load
from demo.drill.rows import Row, report
from demo.drill.watch import Watch

CALM = 2.0  # seconds between one change and the next


@dataclass(frozen=True, slots=True)
class Drill:
    """Changes that are made during the load.

    Args:
        title: What the drill does.
        changes: Each is made in turn with a pause; different ones at the same time.
        latency: Seconds of Huawei's answer, so that some requests are always in progress.
        rate: The factor of DRILL_RATE: requests that last longer are fewer.
    """

    title: str
    changes: Sequence[type[Change]]
    latency: float = 0.3
    rate: float = 1.0


DRILLS = {
    "replace": Drill("Gateways and keys are replaced, Huawei takes 0.3 s", (Replace, Rotate)),
    "slow": Drill("Gateways and keys are replaced, Huawei takes 3 s", (Replace, Rotate), 3, 0.2),
    "failover": Drill("Redis fails over", (FailOver,)),
    "emptied": Drill("Redis is emptied", (Empty,)),
    "reload": Drill("SIGHUP is sent", (Reload,)),
    "hog": Drill("Connections are hogged", (Hog,)),
}
# Drills with a load of their own: what they do, and what returns their rows.
OWN: dict[str, tuple[str, Callable[[IO[bytes], float], Iterable[Row]]]] = {
    "events": ("Reviews end while the watch, Redis and a gateway change", watching.measure),
    "fairness": ("One gateway is 2 ms farther from Redis", fairness.rows),
}


def run(drill: Drill, haproxy: str, log: IO[bytes], seconds: float, rate: float) -> list[Row]:
    """Run a drill. Returns the rows of its table."""
    with Cluster(haproxy, log) as cluster, Watch(cluster) as watch:
        ask("PATCH", f"{cluster.sandbox_url}/settings", json={"requests_per_second": None})
        slow = {"operation": "*", "kind": "latency", "seconds": drill.latency, "count": None}
        ask("POST", f"{cluster.sandbox_url}/faults", json=slow).raise_for_status()
        load, ends, stopped = Load(cluster.url), time.monotonic() + seconds, threading.Event()
        changes = [change(cluster, load) for change in drill.changes]

        def make(change: Change) -> None:
            while not stopped.wait(CALM):
                change.make()
                change.times += 1

        with ThreadPoolExecutor(len(changes)) as threads:
            tasks = [threads.submit(make, change) for change in changes]

            def over() -> bool:
                # The load lasts until the last change is done. A failed change ends the drill.
                made = all(change.times >= change.least for change in changes)
                if (made and time.monotonic() > ends) or any(task.done() for task in tasks):
                    stopped.set()
                return all(task.done() for task in tasks)

            try:
                load.run(rate * drill.rate, over)
            finally:
                stopped.set()
        rows = [*load.rows(cluster), *watch.rows()]
        for change, task in zip(changes, tasks, strict=True):
            error = task.exception()
            rows += [Row(f"{type(change).__name__}: {error}", "", True)] if error else change.rows()
    for failure in load.failures[:20]:
        sys.stderr.write(f"failed: {failure}\n")
    return rows


def main() -> int:
    """Run the drills if haproxy is installed."""
    haproxy = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if haproxy is None:
        sys.stderr.write("haproxy is missing: `make tools` installs it, or says how\n")
        return 2
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asked = os.environ.get("DRILLS", "").split() or [*DRILLS, *OWN]
    seconds = float(os.environ.get("DRILL_SECONDS", "30"))
    rate = float(os.environ.get("DRILL_RATE", "50"))
    status = 0
    for name in asked:
        with NamedTemporaryFile(prefix=f"drill-{name}-", suffix=".log", delete=False) as log:
            if name in OWN:
                title, measure = OWN[name]
                rows = list(measure(log, seconds))
            else:
                title = DRILLS[name].title
                rows = run(DRILLS[name], haproxy, log, seconds, rate)
        if report(title, rows):
            os.unlink(log.name)
        else:
            sys.stdout.write(f"\nThe logs are in {log.name}\n")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
