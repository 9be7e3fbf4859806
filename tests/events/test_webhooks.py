"""One try of a webhook: what is sent, to which host only, and how the try ends."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from app import create_app
from app.events import Entry, Event, EventType
from app.events.webhooks import Outcome, Try, body
from app.settings import Settings
from tests.support.events import credit_used, ended
from tests.support.gateway import bearer
from tests.support.hooks import webhook
from tests.support.log import Log
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.receiver import Receiver, new_secret

ENTRY = Entry("1795685400000-482913004417256", ended("cust-0001"))
DELIVERED = Try(Outcome.DELIVERED, 204)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(new_secret()) as one:
        yield one


def test_an_event_is_sent_in_the_frame_of_the_specification(
    tmp_path: Path, receiver: Receiver
) -> None:
    begun = int(time.time())
    assert webhook(tmp_path, receiver).send(ENTRY) == DELIVERED
    (got,) = receiver.requests
    assert got.content == {
        "type": "VERIFICATION_ENDED",
        "timestamp": "2026-11-26T09:30:00Z",
        "data": {
            "id": ENTRY.id,
            "type": "VERIFICATION_ENDED",
            "account": "default",
            "customer_id": "cust-0001",
            "occurred_at": "2026-11-26T09:30:00Z",
            "kind": "INDIVIDUAL",
            "status": "VERIFIED",
        },
    }
    assert got.headers["webhook-id"] == ENTRY.id
    assert begun <= int(got.headers["webhook-timestamp"]) <= time.time()
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"] == "partner-gateway"
    assert got.headers["path"] == "/hooks?of=gateway"
    assert "authorization" not in got.headers


@pytest.mark.parametrize("event", [ended(), ended(kind=""), credit_used(95)])
def test_the_data_of_a_webhook_is_the_item_that_the_feed_lists(
    config: dict[str, Any], event: Event
) -> None:
    config["callers"]["reader"]["scopes"] = ["events:read"]
    app = create_app(Settings.model_validate(config))
    app.extensions["partner_gateway"].feed.add(event, "once")
    listed = app.test_client().get("/v1/events", headers=bearer("reader-key")).get_json()
    (item,) = listed["items"]
    frame = json.loads(body(Entry(item["id"], event)))
    assert frame["data"] == item
    assert (frame["type"], frame["timestamp"]) == (item["type"], item["occurred_at"])


def test_an_event_of_an_account_has_no_customer(tmp_path: Path, receiver: Receiver) -> None:
    webhook(tmp_path, receiver).send(Entry("1-1", credit_used(95)))
    data = receiver.requests[0].content["data"]
    assert (data["type"], data["percent"]) == ("CREDIT_USED", 95)
    assert data.keys() == {"id", "type", "account", "occurred_at", "percent"}


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_status_of_success_accepts_the_event(
    tmp_path: Path, receiver: Receiver, status: int
) -> None:
    receiver.answer = lambda _: status
    assert webhook(tmp_path, receiver).send(ENTRY) == Try(Outcome.DELIVERED, status)


@pytest.mark.parametrize("status", [300, 301, 302, 304, 307, 308, 400, 401, 404, 410, 429, 500])
def test_any_other_status_refuses_it_and_a_redirect_is_not_followed(
    tmp_path: Path, receiver: Receiver, status: int
) -> None:
    with Receiver(receiver.secret) as other:
        receiver.answer = lambda _: status
        receiver.headers = {"Location": other.url}
        assert webhook(tmp_path, receiver).send(ENTRY) == Try(Outcome.REFUSED, status)
    assert (len(receiver.requests), other.requests) == (1, [])


def test_a_wrong_secret_is_refused_by_the_receiver(tmp_path: Path, receiver: Receiver) -> None:
    sends = webhook(tmp_path, receiver)
    receiver.secret = new_secret()
    assert sends.send(ENTRY) == Try(Outcome.REFUSED, 401)
    assert receiver.forged == 1


def test_without_a_secret_nothing_is_sent(tmp_path: Path, receiver: Receiver) -> None:
    sends = webhook(tmp_path, receiver, secret_file=tmp_path / "nowhere")
    assert sends.send(ENTRY) == Try(Outcome.NO_SECRET)
    assert receiver.requests == []


def test_an_address_that_nobody_serves_is_unreachable(tmp_path: Path) -> None:
    with Receiver(new_secret()) as ended_since:
        sends = webhook(tmp_path, ended_since)
    assert sends.send(ENTRY) == Try(Outcome.UNREACHABLE)


def test_a_receiver_that_does_not_answer_in_time_ends_the_try(
    tmp_path: Path, receiver: Receiver
) -> None:
    def go_on(connection: socket.socket) -> None:
        while True:  # until the gateway closes the connection
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    with RawUpstream(go_on) as slow:
        sends = webhook(tmp_path, receiver, timeout=0.3, url=f"{slow.url}/hooks")
        begun = time.monotonic()
        assert sends.send(ENTRY) == Try(Outcome.NO_ANSWER)
        assert time.monotonic() - begun < 5


def test_an_answer_is_read_to_a_limit_and_never_logged(
    tmp_path: Path, receiver: Receiver, log: Log
) -> None:
    receiver.body = b"a-word-of-the-receiver " * 200_000
    receiver.answer = lambda _: 200
    receiver.headers = {"X-Word": "another-word-of-the-receiver"}
    assert webhook(tmp_path, receiver).send(ENTRY) == Try(Outcome.DELIVERED, 200)
    assert "word-of-the-receiver" not in log.text
    assert receiver.secret.removeprefix("whsec_") not in log.text


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_is_verified_by_the_configured_authorities(
    tmp_path: Path, tls: ssl.SSLContext, ca_file: str, trusted: bool
) -> None:
    with Receiver(new_secret(), tls=tls) as secure:
        sends = webhook(tmp_path, secure, ca_file=ca_file if trusted else None)
        expected = DELIVERED if trusted else Try(Outcome.UNREACHABLE)
        assert sends.send(ENTRY) == expected
    assert len(secure.requests) == trusted


def test_proxies_and_netrc_of_the_environment_have_no_effect(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password a-password\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with RawUpstream(answer(200, "{}")) as proxy:
        for name in ("http_proxy", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert webhook(tmp_path, receiver).send(ENTRY) == DELIVERED
    assert proxy.connections == 0
    assert "authorization" not in receiver.requests[0].headers


@effort(max_examples=50)
@given(
    st.builds(
        ended,
        st.text(min_size=1, max_size=20),
        type=st.sampled_from(EventType),
        account=st.text(max_size=5),
        status=st.text(max_size=5),
        percent=st.integers(0, 100),
    )
)
def test_the_signature_covers_the_bytes_that_are_sent(
    tmp_path_factory: pytest.TempPathFactory, one: Receiver, event: object
) -> None:
    sends = webhook(tmp_path_factory.getbasetemp(), one)
    assert sends.send(Entry("1-1", event)) == DELIVERED  # type: ignore[arg-type]
    assert one.forged == 0


@pytest.fixture(scope="module")
def one() -> Iterator[Receiver]:
    with Receiver(new_secret()) as receiver:
        yield receiver
