"""Two replicas that share Huawei's quota, one of them 2 ms farther from Redis."""

from collections.abc import Iterator

from benchmarks.bench import Bench, Row, at_most
from demo.drill import fairness

SECONDS = 20.0


def measure(bench: Bench) -> Iterator[Row]:
    """Count the calls of two replicas that always have requests waiting."""
    with (bench.folder / "fairness.log").open("w+b") as log:
        found = fairness.measure(log, SECONDS)
    figure = "two replicas, one 2 ms farther from Redis"
    limit = fairness.DIFFERENCE
    measured = f"{found.difference:.1%} ({found.near} and {found.far})"
    yield Row(
        f"{figure}: difference of their calls",
        f"≤ {limit:.0%}",
        measured,
        found.difference <= limit,
    )
    yield at_most(f"{figure}: requests refused", found.refused, 0, "", 0)
    yield Row(
        f"{figure}: part of the quota that was used",
        f"≥ {fairness.USED:.0%}",
        f"{found.used:.1%}",
        found.used >= fairness.USED,
    )
    most = f"{figure}: most calls in one second"
    yield at_most(most, found.most, fairness.QUOTA, "", 0)
