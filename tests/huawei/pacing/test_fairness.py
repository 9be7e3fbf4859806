"""Replicas share the quota in turn, however near each is to Redis."""

from __future__ import annotations

import threading
import time

from app.errors import GatewayError
from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.quota import Quota
from demo.relay import relay
from tests.huawei.pacing.test_quota import most_within
from tests.support.valkey import Valkey

RATE = 30  # calls a second
LOAD = 4.0  # seconds
WAITING = 8  # requests that always wait at each replica
FARTHER = 0.001  # seconds that a question takes longer, and an answer as well


def test_a_replica_two_milliseconds_farther_from_redis_gets_its_half_of_the_quota(
    valkey: Valkey,
) -> None:
    with relay(valkey.port, delay=FARTHER) as farther:
        url = valkey.url_by(farther)
        states = (
            valkey.state(),
            valkey.state(valkey.settings.model_copy(update={"url": url})),
        )
        quotas = [
            Quota("test", "GET /fair", f"fair-{place}", RATE, state)
            for place, state in enumerate(states)
        ]
        sent: tuple[list[float], list[float]] = ([], [])
        refused: list[GatewayError] = []
        ends = time.monotonic() + LOAD

        def ask(place: int) -> None:
            while time.monotonic() < ends:
                try:
                    quotas[place].wait(Errand.within(LOAD, "caller"), write=False)
                    sent[place].append(time.monotonic())
                except GatewayError as error:
                    refused.append(error)

        threads = [
            threading.Thread(target=ask, args=(place,)) for place in (0, 1) for _ in range(WAITING)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    near, far = map(len, sent)
    times = sorted(sent[0] + sent[1])
    assert refused == []
    assert abs(near - far) <= 0.1 * max(near, far)
    # On a quiet machine the share is 0.95 to 0.96. A thread that a busy machine wakes too late
    # loses its slot, and one that it wakes late stretches a second.
    assert (near + far - 1) / (times[-1] - times[0]) >= 0.8 * RATE
    assert most_within(times, 0.9) <= RATE
