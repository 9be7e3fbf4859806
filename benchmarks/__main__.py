"""`make bench`: measures the gateway beside its peers and writes docs/performance.md.

BENCH_ROUNDS (10) and BENCH_SECONDS (1) make it shorter or longer; FIGURES names the figures to
measure; the rows are then printed and the page is not written.
"""

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import honesty, profile, report
from benchmarks.bench import Bench, Row
from benchmarks.figures import (
    bills,
    callers,
    concurrency,
    connections,
    cpu,
    fairness,
    footprint,
    latency,
    signing,
    uploads,
    waiting,
    watching,
)
from benchmarks.upstream import Upstream

# The figures that a caller or an operator notices come first.
FIGURES = {
    "fairness": fairness.measure,
    "waiting": waiting.measure,
    "watching": watching.measure,
    "latency": latency.measure,
    "concurrency": concurrency.measure,
    "footprint": footprint.measure,
    "uploads": uploads.measure,
    "bills": bills.measure,
    "connections": connections.measure,
    "callers": callers.measure,
    "cpu": cpu.measure,
    "signing": signing.measure,
}


def main() -> int:
    """Measure and write the page. Returns 0 for any figures."""
    asked = os.environ.get("FIGURES", "").split()
    begun = time.monotonic()
    with TemporaryDirectory(prefix="partner-gateway-bench-") as name:
        folder = Path(name)
        with Upstream(folder / "upstream") as upstream:
            bench = Bench(folder, upstream)
            honesty.check(folder)
            rows: list[tuple[str, Row]] = []
            for figure in asked or FIGURES:
                for row in FIGURES[figure](bench):
                    rows.append((figure, row))
                    sys.stdout.write(f"{row.figure}: {row.measured} ({row.goal or 'no goal'})\n")
                    sys.stdout.flush()
            if not asked:
                layers = profile.by_layer(bench)
                report.write(bench, rows, layers, time.monotonic() - begun)
    return 0


if __name__ == "__main__":
    sys.exit(main())
