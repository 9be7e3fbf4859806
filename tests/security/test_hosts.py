"""No request changes the hosts that the gateway connects to, or the paths that it calls there."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from app import create_app
from app.settings import Settings
from tests.support.gateway import CUSTOMER, altered, bearer
from tests.support.sandbox_driver import SandboxDriver


class Connections:
    """The addresses that this process has connected to, by Python's audit events."""

    def __init__(self) -> None:
        self.places: set[Any] | None = None
        self.heard = 0
        sys.addaudithook(self._hear)  # permanent: Python cannot remove an audit hook

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if threading.current_thread().name == "state":
            return  # a gateway of an earlier test still tells its Redis of locks; this one has none
        if self.places is not None and event in ("socket.connect", "socket.getaddrinfo"):
            self.heard += 1
            self.places.add(arguments[1][:2] if event == "socket.connect" else arguments[:2])


@pytest.fixture(scope="module")
def connections() -> Connections:
    return Connections()


@pytest.fixture
def made(connections: Connections) -> Iterator[set[Any]]:
    connections.places = set()
    yield connections.places
    connections.places = None
    assert connections.heard  # otherwise the test proves nothing


ELSEWHERE = st.sampled_from(
    [
        "elsewhere.example",
        "elsewhere.example:443",
        "http://elsewhere.example/",
        "//elsewhere.example/x",
        "https://elsewhere.example@127.0.0.1/",
        "../../elsewhere",
        "%2e%2e/elsewhere",
        "?elsewhere=1",
        "a#elsewhere",
        "a\\elsewhere",
    ]
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Host",
            "Forwarded",
            "X-Forwarded-Host",
            "X-Forwarded-For",
            "X-Original-URL",
            "X-Rewrite-URL",
            "Origin",
            "Referer",
            "X-Request-Id",
            "Idempotency-Key",
            "Prefer",
            "traceparent",
            "Proxy",
        ]
    ),
    ELSEWHERE,
    max_size=4,
)
TEXT = ELSEWHERE | st.text(max_size=30)
BODIES = st.fixed_dictionaries(
    {
        "full_name": TEXT,
        "document": st.fixed_dictionaries(
            {"type": st.just("PASSPORT"), "number": st.just("E1") | TEXT}
        ),
    },
    optional={"partner_user_id": TEXT, "attachments": st.lists(TEXT, max_size=4)},
)
TARGETS = {
    "/v1.0/0a1b2c3d4e5f60718293a4b5c6d7e8f9/partner/customer-mgr/verified-info",
    "/v2/customers/realname-auths/individual",
    "/v2/customers/realname-auths/result",
}


@effort(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(headers=HEADERS, body=BODIES, backend=st.sampled_from(["legacy", "review"]))
def test_no_request_changes_the_hosts_and_paths_that_the_gateway_calls(
    shared: dict[str, FlaskClient],
    sandbox: SandboxDriver,
    made: set[Any],
    headers: dict[str, str],
    body: dict[str, Any],
    backend: str,
) -> None:
    made.clear()
    path = f"/v1/customers/{CUSTOMER}/verifications/individual"
    response = shared[backend].post(path, json=body, headers=bearer() | headers)
    assert response.status_code != 500
    shared[backend].get(f"/v1/customers/{CUSTOMER}/verification", headers=bearer() | headers)
    parts = urlsplit(sandbox.url)
    assert made <= {(parts.hostname, parts.port)}
    sent = sandbox.requests()
    assert {urlsplit(one["target"]).path for one in sent} <= TARGETS
    assert {one["headers"]["Host"] for one in sent} <= {parts.netloc}


@pytest.fixture
def shared(settings: Settings, sandbox: SandboxDriver) -> dict[str, FlaskClient]:  # noqa: ARG001
    return {
        backend: create_app(altered(settings, verification={"backend": backend})).test_client()
        for backend in ("legacy", "review")
    }
