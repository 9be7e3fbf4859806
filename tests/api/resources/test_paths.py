"""Customer ids in paths: a malformed id is a 404, and nothing is sent to Huawei."""

from __future__ import annotations

import socket

import pytest
from flask.testing import FlaskClient

from demo.local import KEY, Local
from tests.support.gateway import PERSON, bearer, code, submit
from tests.support.sandbox_driver import SandboxDriver

# In the form of the request line.
HOSTILE = [
    "..",
    ".",
    "%2e%2e",
    "%2E%2E",
    "..%2f..",
    "..%2F..%2Fadmin",
    "a%2Fb",
    "a/b",
    "a%5Cb",
    "a.b",
    "",
    "/",
    "%20",
    "a%20b",
    "cust-0001%0A",
    "cust-0001%0d%0a",
    "cust-0001%00",
    "a;b",
    "a%3Bb",
    "a%3Fb",
    "a%23b",
    "%C3%A9",
    "%FF",
    "%EF%BC%8E%EF%BC%8E",
    "x" * 65,
    "%252e%252e",
    "a%",
    "*",
    "a+b",
    "~",
]


@pytest.fixture
def client(shared_client: FlaskClient, sandbox: SandboxDriver) -> FlaskClient:  # noqa: ARG001
    return shared_client


@pytest.mark.parametrize("customer", HOSTILE)
@pytest.mark.parametrize("kind", ["individual", "enterprise", "enterprise-change"])
def test_a_malformed_customer_id_in_a_path_is_a_404(
    client: FlaskClient, sandbox: SandboxDriver, customer: str, kind: str
) -> None:
    response = client.post(
        f"/v1/customers/{customer}/verifications/{kind}", json=PERSON, headers=bearer()
    )
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    "name",
    [
        "photo.jpg%0A",
        "photo.jpg%0D%0A",
        "..",
        "%2e%2e",
        ".hidden.jpg",
        "a%2Fb.jpg",
        "a/b.jpg",
        "a%5Cb.jpg",
        "a b.jpg",
        "%E5%BC%A0.jpg",
        "x" * 125 + ".jpg",
        "",
    ],
)
def test_a_malformed_attachment_name_in_a_path_is_a_404(
    client: FlaskClient, sandbox: SandboxDriver, name: str
) -> None:
    response = client.put(f"/v1/customers/c/attachments/{name}", data=b"x", headers=bearer())
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")
    assert sandbox.requests() == []


@pytest.mark.parametrize("path", ["individual/", "individual//", "individual%0A", "individual/."])
def test_a_path_with_a_suffix_is_a_404(
    client: FlaskClient, sandbox: SandboxDriver, path: str
) -> None:
    response = client.post(
        f"/v1/customers/cust-0001/verifications/{path}", json=PERSON, headers=bearer()
    )
    assert response.status_code == 404
    assert sandbox.requests() == []


@pytest.mark.parametrize("customer", ["a", "x" * 64, "A-b_9", "-", "_", "0", "code-CBC"])
def test_a_customer_id_reaches_huawei_in_the_body_only(
    client: FlaskClient, sandbox: SandboxDriver, customer: str
) -> None:
    assert submit(client, customer).status_code == 201
    (sent,) = sandbox.requests()
    assert f'"domainId":"{customer}"' in sent["body"]
    assert customer == "0" or f"/{customer}" not in sent["target"]


def raw(local: Local, target: str, method: str = "POST") -> bytes:
    """Send a request line unchanged to gunicorn; an HTTP client would normalize it."""
    host, port = local.url.removeprefix("http://").split(":")
    body = b'{"full_name":"ZHANG SAN","document":{"type":"PASSPORT","number":"E1"}}'
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        with connection.makefile("rb") as incoming:
            return incoming.read()


@pytest.mark.parametrize("customer", HOSTILE)
def test_a_malformed_customer_id_is_a_404_under_gunicorn_too(served: Local, customer: str) -> None:
    sandbox = SandboxDriver(served.sandbox_url)
    sandbox.reset()
    answered = raw(served, f"/v1/customers/{customer}/verifications/individual")
    assert answered.split()[1] in (b"404", b"400")
    assert b"application/problem+json" in answered
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    "target",
    [
        "/v1/customers/../../v1/customers/c/verifications/individual/../..",
        "/v1//customers/c/verifications/individual",
        "http://elsewhere.example/v1/customers/../verifications/individual",
    ],
)
def test_an_unusual_form_of_a_request_target_is_a_404(served: Local, target: str) -> None:
    sandbox = SandboxDriver(served.sandbox_url)
    sandbox.reset()
    answered = raw(served, target)
    assert answered.split()[1] == b"404"
    assert sandbox.requests() == []
