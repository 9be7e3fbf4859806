"""Writes around a failover of Redis whose successor lacks the last values."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from demo.relay import Relay, relay
from tests.support.fixtures import Build
from tests.support.patience import ONCE, read, said, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.valkey import Valkey
from tests.support.verifications import INDIVIDUAL
from tests.writes.unknown_outcomes import HIDDEN, READS, SENT, UNKNOWN, WAIT, order

pytestmark = pytest.mark.long

OTHER = {**INDIVIDUAL, "full_name": "LI SI"}


@pytest.fixture
def link(mortal: Valkey) -> Iterator[Relay]:
    """The connection by which the successor follows the master."""
    with relay(mortal.port) as opened:
        yield opened


@pytest.mark.parametrize("answered", [True, False], ids=["answered", "in flight"])
def test_a_repeat_after_a_failover_that_lost_its_record_is_not_sent_twice(
    build: Build,
    sandbox: SandboxDriver,
    mortal: Valkey,
    successor: Valkey,
    address: Relay,
    link: Relay,
    answered: bool,
) -> None:
    mortal.mature()
    state = {"url": mortal.url_by(address)}
    one, other = (build(state=state, **ONCE) for _ in range(2))
    assert [read(app).status_code for app in (one, other)] == [200, 200]
    successor.follow(link)
    wait_until(lambda: successor.values().keys() >= mortal.values().keys() != set())
    link.target = 1  # from here on the successor receives nothing
    link.cut()
    if not answered:
        sandbox.fault("verified-info", "hang", count=1)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(submit, one, idempotency="key-1")
        wait_until(lambda: first.done() if answered else sandbox.received("verified-info"))
        mortal.kill()
        successor.lead()
        address.target = successor.port
        address.cut()
        repeated = said(submit(other, idempotency="key-1"))
        sandbox.clear_faults()
        assert said(first.result())[:2] == SENT[:2]
    assert repeated == (UNKNOWN if answered else (409, "IDEMPOTENCY_KEY_IN_FLIGHT", False))
    assert sandbox.processed("verified-info") == len(sandbox.submissions()) == 1


@pytest.mark.parametrize("emptied", [True, False], ids=["emptied", "lost"])
def test_a_process_does_not_take_its_own_try_for_the_last_one_where_redis_cannot_tell(
    build: Build, sandbox: SandboxDriver, mortal: Valkey, emptied: bool
) -> None:
    mortal.mature()
    one, other = (build(state={"url": mortal.url}, **ONCE) for _ in range(2))
    sandbox.fault("verified-info", "reset", count=1, processed=False)
    sandbox.fault("result", **HIDDEN, count=READS)
    assert said(submit(one, idempotency="key-1", wait=WAIT)) == UNKNOWN
    sandbox.clear_faults()
    assert said(submit(other, idempotency="key-2", body=OTHER)) == SENT
    (mortal.clear if emptied else mortal.kill)()
    # Huawei shows the other replica's submission: it proves nothing for this one.
    assert said(submit(one, idempotency="key-1")) == UNKNOWN
    assert order(sandbox)[-1] == "result"
    assert sandbox.processed("verified-info") == 1


def test_a_write_that_cannot_wait_for_the_locks_of_others_is_refused_and_not_sent(
    build: Build, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    app = build(state={"url": valkey.url})
    valkey.clear()
    refused = submit(app, idempotency="key-1", wait=3)
    assert said(refused) == (409, "CUSTOMER_WRITE_IN_PROGRESS", False)
    assert 1 <= int(refused.headers["Retry-After"]) <= 5
    assert sandbox.requests() == []
    assert said(submit(app, idempotency="key-1")) == SENT
