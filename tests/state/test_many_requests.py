"""Many requests at once: a healthy server is never taken for lost, and no key is used twice."""

from __future__ import annotations

import json
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.api.rates import Rates
from app.settings import CallerSettings
from tests.state.test_loss import lines
from tests.support.gunicorn_process import ServedGateway
from tests.support.patience import headers, path_of, patient
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import together
from tests.support.valkey import SEALING, Valkey
from tests.support.verifications import INDIVIDUAL

BESIDE = 400  # requests beside the one that counts
THREADS = 200  # more than the state has connections


def test_two_hundred_threads_do_not_lose_a_healthy_server(
    valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    state = valkey.state()
    caller = CallerSettings.model_validate({"keys_sha256": ["0" * 64], "rate": "150/hour"})
    rates = Rates({"batch": caller}, state, SEALING)

    def ask(place: int) -> tuple[bool, bool]:
        return state.add("lock", b"%d" % place, 60), rates.consume("batch")[0] is None

    valkey.pause(0.4)  # so that all of them want a connection at once
    answers = together(THREADS, ask)
    assert [added for added, _ in answers].count(True) == 1
    assert [granted for _, granted in answers].count(True) == 150
    assert lines(caplog, logging.ERROR) == []


def test_one_key_at_two_replicas_beside_four_hundred_submissions_is_sent_once(
    tmp_path: Path, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    differences: dict[str, Any] = {
        "state": {"url": valkey.url},
        "quota": {"requests_per_second": 1000},
        "timeouts": {"read": 20.0},
    }
    replicas = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        replicas.append(ServedGateway(folder, patient(folder, sandbox.url, **differences)))
    with ExitStack() as stack:
        for replica in replicas:
            stack.enter_context(replica)
            replica.request("GET", "/v1/customers/c/verification", headers=headers())
        sandbox.forget_requests()

        def post(place: int) -> int:
            keyed = place in (BESIDE // 2, BESIDE // 2 + 1)  # one at each replica
            answer = replicas[place % 2].request(
                "POST",
                path_of("the-one" if keyed else f"c-{place}"),
                json=INDIVIDUAL,
                headers=headers(idempotency="the-key" if keyed else None),
            )
            return answer.status_code

        with ThreadPoolExecutor(BESIDE) as threads:
            statuses = set(threads.map(post, range(BESIDE)))
        logs = [replica.text for replica in replicas]
    bodies = [json.loads(one["body"]) for one in sandbox.requests("verified-info")]
    sent = Counter(body["domainId"] for body in bodies)
    assert (len(sent), max(sent.values())) == (BESIDE - 1, 1)
    assert statuses <= {201, 409}
    assert not any("is lost" in log for log in logs)
    assert all("set its appendonly to yes" in log for log in logs)  # inspected at the start
