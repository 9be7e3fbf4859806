"""`make bench-compare`: two revisions of the gateway, measured alternately.

`python -m benchmarks.compare BASE CHANGE`; each is a revision, or a folder that holds a tree.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from benchmarks.bench import Bench
from benchmarks.load import closed_loop
from benchmarks.processes import PROJECT
from benchmarks.servers import gateway
from benchmarks.upstream import Upstream

CONNECTIONS = 16


@contextmanager
def _tree(revision: str, folder: Path) -> Iterator[Path]:
    """The tree of a revision, as a folder."""
    if Path(revision).is_dir():
        yield Path(revision).resolve()
        return
    git = ["git", "-C", str(PROJECT), "worktree"]
    subprocess.run(  # noqa: S603
        [*git, "add", "--quiet", "--detach", str(folder), revision], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)  # noqa: S603


def _ratio(bench: Bench, trees: Sequence[Path]) -> float:
    """CPU time of a request in the second tree, divided by that in the first."""
    # Restart both for each round: two processes of one tree differ by some percent.
    sides = [gateway(bench.folder, bench.upstream.fast, project=tree) for tree in trees]
    with bench.started(sides):
        for side in sides:
            closed_loop([side], CONNECTIONS, 1)  # warm
        old, new = (closed_loop([side], CONNECTIONS, bench.seconds).cpu_each for side in sides)
    return new / old


def main() -> int:
    """Measure both revisions. Returns 0 for any result."""
    base, change = sys.argv[1:]
    with TemporaryDirectory(prefix="partner-gateway-compare-") as name:
        folder = Path(name)
        with (
            _tree(base, folder / "base") as before,
            _tree(change, folder / "change") as after,
            Upstream(folder / "upstream") as upstream,
        ):
            bench = Bench(folder, upstream)
            ratios = [_ratio(bench, (before, after)) for _ in range(bench.rounds)]
    low, _, high = quantiles(ratios, n=4)
    sys.stdout.write(
        f"CPU of a request, {base} = 1: {change} {median(ratios):.3f} "
        f"(half of the {len(ratios)} rounds between {low:.3f} and {high:.3f})\n"
    )
    return 0


if __name__ == "__main__":
    os.chdir(PROJECT)
    sys.exit(main())
