"""A bill of a million lines: the time and the memory of its download."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import requests

from app.huawei.credentials.signing import ObsAuth
from benchmarks.bench import Bench, Row, at_most, ratio
from benchmarks.servers import KEYS, Server, gateway
from demo.local import BUCKET, BUCKET_ACCESS_KEY, BUCKET_SECRET_KEY, REGION, free_port

LINES = 1_000_000
MONTH = "2026-05"
PATH = f"/v1/partner/bills/{MONTH}/lines"
ROUNDS = 3  # at most: each takes half a minute
LIMIT = 300  # seconds

# What a user would write.
PLAIN = """
import csv, io, json, sys, tarfile
with tarfile.open(sys.argv[1]) as archive:
    for member in archive:
        text = io.TextIOWrapper(archive.extractfile(member), "utf-8-sig", newline="")
        for line in csv.DictReader(text):
            print(json.dumps(line))
"""


def _bill(sandbox: Server, folder: Path) -> Path:
    """Put the bill into the sandbox's bucket. Returns a copy of the file."""
    control = f"{sandbox.url}/_sandbox/bill-files/{MONTH}"
    with requests.Session() as session:
        session.trust_env = False
        made = session.put(control, json={"lines": LINES}, timeout=LIMIT).json()
        request = requests.Request(
            "GET",
            f"{sandbox.url}/{made['key']}",
            headers={"Host": f"{BUCKET}.localhost:{sandbox.port}"},
        ).prepare()
        ObsAuth(BUCKET_ACCESS_KEY, BUCKET_SECRET_KEY, REGION)(request)
        content = session.send(request, timeout=LIMIT).content
    file = folder / "bill.tar.gz"
    file.write_bytes(content)
    return file


def _seconds(*command: str) -> float:
    begun = time.monotonic()
    subprocess.run(  # noqa: S603 - our own programs
        command,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=LIMIT,
    )
    return time.monotonic() - begun


def _download(server: Server, accept: str, query: str = "") -> float:
    return _seconds(
        *("curl", "-sf", "-H", f"Authorization: Bearer {KEYS['crm']}", "-H", f"Accept: {accept}"),
        f"{server.url}{PATH}{query}",
    )


def measure(bench: Bench) -> Iterator[Row]:
    """Download the bill through the gateway, and read its file without the gateway."""
    port = free_port()
    command = [sys.executable, "-m", "sandbox", "--port", str(port)]
    short = replace(bench, rounds=min(bench.rounds, ROUNDS))
    with Server("sandbox", port, command, bench.folder, ready="/_sandbox/state") as sandbox:
        file = _bill(sandbox, bench.folder)
        with gateway(bench.folder, sandbox.url, project=bench.project) as server:
            before = server.memory
            _download(server, "text/csv", "?customer_id=nobody")  # nothing is cold after it
            limit, plain, ndjson, csv, one = short.in_turns(
                partial(_seconds, "/bin/sh", "-c", f"tar xzOf {file} | wc -l"),
                partial(_seconds, sys.executable, "-c", PLAIN, str(file)),
                partial(_download, server, "application/x-ndjson"),
                partial(_download, server, "text/csv"),
                partial(_download, server, "application/x-ndjson", "?customer_id=cust-1"),
            )
            grown = max(peak - before[pid] for pid, peak in server.peak.items())
    what = "bill of 1,000,000 lines"
    yield at_most(f"{what} as NDJSON; `tar xzO \\| wc -l` = 1", ratio(ndjson, limit), 8)
    speed = f"{LINES / median(ndjson):,.0f} lines a second"
    yield Row("the same in lines a second", "", speed)
    yield Row("the same as CSV", "", f"{ratio(csv, limit):.2f}")
    yield Row("the same, the lines of one of 10 customers", "", f"{ratio(one, limit):.2f}")
    yield Row("peer: a program with tarfile, csv and json", "", f"{ratio(plain, limit):.2f}")
    yield at_most(f"{what}: memory that its download adds to the process", grown, 64, " MiB", 0)
