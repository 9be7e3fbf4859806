"""CPU time of a call in the calling program, with the official SDK or through the gateway."""

import os
import subprocess
from collections.abc import Iterator
from statistics import median

from benchmarks.bench import Bench, Row, at_most
from benchmarks.processes import PROJECT
from benchmarks.servers import BENCH_PYTHON, KEYS, PARTNER, gateway

CALLS = 400


def _cpu(how: str, url: str) -> float:
    command = [str(BENCH_PYTHON), "-m", "benchmarks.peers.direct", how, url, str(CALLS)]
    environment = {**os.environ, **PARTNER, "KEY": KEYS["crm"]}
    done = subprocess.run(  # noqa: S603 - our own program
        command, cwd=PROJECT, env=environment, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def measure(bench: Bench) -> Iterator[Row]:
    """CPU time of the caller alone, and of caller and gateway together."""
    alone, together = [], []
    with gateway(bench.folder, bench.upstream.fast, project=bench.project) as server:
        _cpu("urllib3", server.url)
        for _ in range(bench.rounds):
            sdk = _cpu("sdk", bench.upstream.fast)
            before = server.cpu
            caller = _cpu("urllib3", server.url)
            # The gateway's CPU time includes the caller's warm-up calls.
            share = CALLS / (CALLS + 20)
            alone.append(caller / sdk)
            together.append((caller + (server.cpu - before) * share) / sdk)
    sdk_figure = "official SDK = 1"
    yield at_most(
        f"CPU of a caller with urllib3 through the gateway; {sdk_figure}", median(alone), 0.5
    )
    yield at_most(f"the same, caller and gateway together; {sdk_figure}", median(together), 1.3)
