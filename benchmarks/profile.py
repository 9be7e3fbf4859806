"""CPU time of a request by layer, from py-spy's samples of the gateway under load."""

import re
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Mapping

from benchmarks.bench import Bench
from benchmarks.load import closed_loop
from benchmarks.processes import PROJECT
from benchmarks.servers import gateway

SPY = PROJECT / ".tools/bench/bin/py-spy"
SECONDS = 8
RATE = 400  # samples a second
# A sample belongs to the innermost frame that matches one of these layers.
LAYERS: Mapping[str, str] = {
    "HTTP to upstream: transport, urllib3, http.client": r"huawei/transport"
    r"|urllib3/|http/client|/email/|httptools|geventhttpclient",
    "signature": r"huawei/credentials/signing|requests_aws4auth/",
    "credentials": r"huawei/credentials/(key_pairs|key_pair|key_slot|tokens)",
    "quota, retries, circuit": r"huawei/pacing/(quota|retry|breaker|deadline)|pybreaker"
    r"|app/state/",
    "the rest of the client: answer, codes": r"app/huawei/",
    "metrics": r"prometheus_client/|observability/metrics",
    "log line and audit": r"logging/__init__|observability/logs",
    "tracing": r"opentelemetry/|observability/tracing",
    "record of the request": r"api/record",
    "schemas: webargs, marshmallow": r"webargs/|marshmallow/|app/fields|backends/translation",
    "verification, idempotency": r"app/verification/",
    "views, flask-smorest": r"app/api/(resources|problems|extensions)|flask_smorest/",
    "authentication, rates": r"app/api/(authentication|rates)|limits/|jwt/",
    "Flask, Werkzeug": r"flask/|werkzeug/",
    "gunicorn": r"gunicorn/",
    "gevent's loop": r"gevent/(?!_?socket|select|_?ssl)",
}
# Waiting threads, which py-spy counts as busy.
_IDLE = re.compile(r"gevent/(threadpool|_threading)|selectors\.py|socketserver\.py")
_LINE = re.compile(r":\d+\)$")


def samples(bench: Bench) -> Iterator[tuple[list[str], int]]:
    """Stacks, outermost frame first, with the number of samples of each."""
    found = bench.folder / "profile.txt"
    with gateway(bench.folder, bench.upstream.fast, project=bench.project) as server:
        closed_loop([server], 16, 1)
        load = threading.Thread(target=closed_loop, args=([server], 16, SECONDS + 3))
        load.start()
        worker = str(server.pids[-1])
        subprocess.run(  # noqa: S603 - from our own requirements
            [
                *(str(SPY), "record", "--pid", worker, "--duration", str(SECONDS)),
                *("--rate", str(RATE), "--format", "raw", "--output", str(found)),
            ],
            check=True,
            capture_output=True,
        )
        load.join()
    for line in found.read_text().splitlines():
        stack, _, times = line.rpartition(" ")
        if not _IDLE.search(stack):
            yield [_LINE.sub(")", frame) for frame in stack.split(";")], int(times)


def by_layer(bench: Bench) -> list[tuple[str, float]]:
    """The share of each layer in the samples, largest first."""
    counts: Counter[str] = Counter()
    for stack, times in samples(bench):
        counts[_layer(stack)] += times
    total = sum(counts.values())
    return [(layer, times / total) for layer, times in counts.most_common()]


def _layer(stack: list[str]) -> str:
    for frame in reversed(stack):
        for layer, pattern in LAYERS.items():
            if re.search(pattern, frame):
                return layer
    return "other"
