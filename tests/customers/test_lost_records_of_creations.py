"""A creation after a crash, with two replicas, and after the shared state lost its records."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from tests.customers.conftest import CALLERS
from tests.customers.creations import CREATE, DONE, FOUND, UNKNOWN, WAIT, associate
from tests.support.fixtures import Build
from tests.support.gunicorn_process import ServedGateway
from tests.support.onboarding import EMAIL, NEW, create, mailed
from tests.support.patience import REPLAYED, headers, patient, said
from tests.support.records import grown_old
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import together, wait_until
from tests.support.valkey import Valkey

pytestmark = pytest.mark.long

ID = NEW["partner_user_id"]
TRY = ("writer", "CREATE_CUSTOMER", f"new:{ID}", "key-1")
TAKEN = (409, "PARTNER_USER_ID_TAKEN", False)


@pytest.fixture(autouse=True)
def associated_at_once(sandbox: SandboxDriver) -> None:
    sandbox.settings(association_seconds=0)


def on(creator: Build, valkey: Valkey, **differences: Any) -> FlaskClient:
    """A client of a new gateway on a state."""
    return creator(state={"url": valkey.url}, **differences).test_client()


def lose(sandbox: SandboxDriver, client: FlaskClient, fault: str = "reset") -> None:
    """Lose the answer of a creation, and hold its association."""
    sandbox.settings(association_seconds=None)
    sandbox.fault(CREATE, fault, count=1)
    assert said(create(client, wait=WAIT)) == UNKNOWN
    sandbox.settings(association_seconds=0)


@pytest.mark.parametrize("processed", [True, False])
def test_a_repeat_after_a_crash_finds_the_customer_or_creates_it(
    creator: Build, sandbox: SandboxDriver, valkey: Valkey, tmp_path: Path, processed: bool
) -> None:
    differences: dict[str, Any] = {"state": {"url": valkey.url}, "timeouts": {"read": 30.0}}
    sandbox.fault(CREATE, "hang", processed=processed, count=1)
    document = patient(tmp_path, sandbox.url, callers=CALLERS, **differences)
    gateway = ServedGateway(tmp_path, document)
    with gateway, ThreadPoolExecutor(1) as threads:
        how = {"json": NEW, "headers": headers(idempotency="key-1")}
        lost = threads.submit(gateway.request, "POST", "/v1/customers", **how)
        wait_until(lambda: sandbox.received(CREATE))
        gateway.kill()
        assert isinstance(lost.exception(), requests.ConnectionError)

    successor = creator(**differences).test_client()
    assert said(create(successor))[1] == "IDEMPOTENCY_KEY_IN_FLIGHT"
    assert said(create(successor, "key-2"))[1] == "CUSTOMER_WRITE_IN_PROGRESS"
    grown_old(valkey, 60, *TRY)
    repeat = create(successor)
    assert said(repeat) == (FOUND if processed else DONE), repeat.get_json()
    assert sandbox.processed(CREATE) == 1
    assert len(sandbox.requests(CREATE)) == (1 if processed else 2)


def test_a_repeat_at_another_replica_finds_the_customer(
    creator: Build, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    first, second = on(creator, valkey), on(creator, valkey)
    lose(sandbox, first)
    customer_id = associate(sandbox, ID)
    found = create(second)
    assert (said(found), found.json["customer_id"]) == (FOUND, customer_id)
    again = create(first)
    assert (again.json, again.headers[REPLAYED]) == (found.json, "true")
    assert len(sandbox.requests(CREATE)) == 1


def test_every_replica_knows_a_new_customer_that_huawei_does_not_list_yet(
    creator: Build, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    sandbox.settings(association_seconds=None)
    path = create(on(creator, valkey)).headers["Location"]
    told = on(creator, valkey).get(path, headers=headers()).get_json()
    assert told["code"] == "ASSOCIATION_PENDING"


@pytest.mark.parametrize("shared", [True, False], ids=["one state", "the state is lost"])
def test_two_replicas_create_one_customer_at_once_by_two_keys_once(
    creator: Build, sandbox: SandboxDriver, mortal: Valkey, shared: bool
) -> None:
    mortal.mature()
    clients = [on(creator, mortal), on(creator, mortal)]
    if not shared:
        mortal.kill()
    answers = together(2, lambda place: create(clients[place], f"key-{place}"))
    told = sorted(said(answer) for answer in answers)
    assert told[0] == DONE
    refused = {"CUSTOMER_WRITE_IN_PROGRESS", "PARTNER_USER_ID_TAKEN"}
    # A replica that has lost the state may find the customer listed, and cannot tell whose it is.
    assert told[1][1] in (refused if shared else refused | {"OUTCOME_UNKNOWN"})
    assert sandbox.processed(CREATE) == 1


@pytest.mark.parametrize("back", [False, True], ids=["lost", "back with nothing in it"])
def test_a_process_remembers_its_own_creation_and_claims_nothing_where_the_shared_state_was_lost(
    creator: Build, sandbox: SandboxDriver, mortal: Valkey, back: bool
) -> None:
    """Another replica may have sent a later one."""
    mortal.mature()
    client = on(creator, mortal)
    lose(sandbox, client)
    mortal.kill()
    if back:
        mortal.start()
    associate(sandbox, ID)
    assert said(create(client)) == UNKNOWN
    assert len(sandbox.requests(CREATE)) == 1


@pytest.mark.parametrize("fault", ["reset", "refuse"])
def test_a_lost_creation_is_found_or_sent_again_while_the_shared_state_is_lost(
    creator: Build, sandbox: SandboxDriver, mortal: Valkey, fault: str
) -> None:
    client = on(creator, mortal)
    mortal.kill()
    sandbox.fault(CREATE, fault, count=1)
    first = said(create(client, wait=WAIT))
    assert first == (FOUND if fault == "reset" else UNKNOWN)
    again = create(client)
    assert said(again) == (FOUND if fault == "reset" else DONE)
    assert sandbox.processed(CREATE) == 1


@pytest.mark.parametrize("back", [False, True], ids=["lost", "back with nothing in it"])
def test_a_repeat_whose_record_may_be_lost_is_not_sent_where_the_customer_is_listed(
    creator: Build, sandbox: SandboxDriver, mortal: Valkey, back: bool
) -> None:
    done = create(on(creator, mortal))
    assert said(done) == DONE
    mortal.kill()
    if back:
        mortal.start()
    other = on(creator, mortal)
    # The customer may be of this key or of another: it is told, and not claimed.
    for _ in range(2):
        again = create(other)
        assert said(again) == UNKNOWN
        assert done.headers["Location"] in again.json["detail"]
        assert again.json["retry"] == "SAME_KEY"
    assert len(sandbox.requests(CREATE)) == 1


def test_a_repeat_whose_record_was_emptied_makes_no_second_customer_before_it_is_listed(
    creator: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    mortal.mature()
    lose(sandbox, on(creator, mortal))
    mortal.clear()
    other = on(creator, mortal)
    assert said(create(other)) == TAKEN  # Huawei's answer
    customer_id = associate(sandbox, ID)
    told = create(other)
    assert (said(told), customer_id in told.json["detail"]) == (UNKNOWN, True)
    assert sandbox.processed(CREATE) == 1


def test_a_creation_is_sent_where_the_record_was_emptied_and_nothing_was_processed(
    creator: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    mortal.mature()
    lose(sandbox, on(creator, mortal), "refuse")
    mortal.clear()
    assert said(create(on(creator, mortal))) == DONE
    assert sandbox.processed(CREATE) == 1


def test_a_first_creation_with_redis_and_huawei_unreachable_was_not_sent(
    creator: Build, mortal: Valkey
) -> None:
    client = on(creator, mortal, upstream="http://127.0.0.1:1", reliability={"tries": 1})
    mortal.kill()
    problem = create(client).json
    assert (problem["code"], problem["retry"]) == ("UPSTREAM_UNREACHABLE", "AFTER_DELAY")


def test_a_process_without_a_shared_state_that_starts_again_claims_no_customer(
    creator: Build, sandbox: SandboxDriver
) -> None:
    done = create(creator().test_client())
    again = create(creator().test_client())
    assert said(again) == TAKEN
    assert done.headers["Location"] in again.json["detail"]
    assert sandbox.processed(CREATE) == 1


def test_the_shared_state_holds_nothing_of_the_customer(
    creator: Build, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    client = on(creator, valkey)
    private = {**mailed(sandbox, client), "password": "pass-word-1"}
    new = {"account_name": "shop_of_li", **private}
    sandbox.fault(CREATE, "latency", seconds=30, count=1)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(create, client, **new)
        wait_until(lambda: sandbox.received(CREATE))
        dumps = [valkey.values()]
        sandbox.clear_faults()
        done = slow.result()
    dumps.append(valkey.values())
    sought = {ID, EMAIL, "shop_of_li", "pass-word-1", private["code"], done.json["customer_id"]}
    sought |= {sha256(one.encode()).hexdigest() for one in sought}
    for dump in dumps:
        text = b"\n".join(part for entry in dump.items() for part in entry).decode("latin-1")
        assert [one for one in sought if one in text] == []
