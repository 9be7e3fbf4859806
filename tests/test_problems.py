"""Every failure is an RFC 9457 problem in our words, on every path, and repeats no input."""

from __future__ import annotations

import io
import json
import logging
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.authentication import open_to_all
from app.errors import ErrorCode
from app.observability.logs import JsonFormatter
from demo.local import Local
from tests.gateway import INDIVIDUAL_PATH, PERSON, bearer
from tests.sandbox_driver import SandboxDriver

MANDATORY = {"type", "title", "status", "detail", "code", "request_id", "retry", "fault"}


@pytest.fixture
def client(shared_client: FlaskClient, sandbox: SandboxDriver) -> FlaskClient:  # noqa: ARG001
    return shared_client


def check_problem(response: TestResponse, code: ErrorCode) -> dict[str, Any]:
    """The problem, which has to be a whole and proper one of this code."""
    problem: dict[str, Any] = json.loads(response.data)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem.keys() >= MANDATORY
    assert problem["type"] == f"/v1/errors/{code.name}"
    assert (problem["code"], problem["title"]) == (code.name, code.title)
    assert problem["status"] == response.status_code == code.status
    assert problem["request_id"] == response.headers["X-Request-Id"]
    assert (problem["fault"], problem["detail"][-1]) == (code.fault, ".")
    return problem


def post(client: FlaskClient, body: bytes | str, content_type: str = "application/json") -> Any:
    return client.post(INDIVIDUAL_PATH, data=body, content_type=content_type, headers=bearer())


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/nothing", "/v1/customers/a/b", "/livez/", "/docs/assets/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_where_there_is_nothing_is_a_problem(client: FlaskClient, path: str, method: str) -> None:
    response = client.open(path, method=method, headers=bearer())
    if (path, method) in (("/docs/assets/x", "POST"), ("/docs/assets/x", "DELETE")):
        check_problem(response, ErrorCode.METHOD_NOT_ALLOWED)
    else:
        check_problem(response, ErrorCode.NOT_FOUND)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", INDIVIDUAL_PATH, {"POST", "OPTIONS"}),
        ("PUT", INDIVIDUAL_PATH, {"POST", "OPTIONS"}),
        ("DELETE", INDIVIDUAL_PATH, {"POST", "OPTIONS"}),
        ("POST", "/v1/errors", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/livez", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_method_that_a_path_does_not_take_is_answered_with_those_it_takes(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    response = client.open(path, method=method, headers=bearer())
    check_problem(response, ErrorCode.METHOD_NOT_ALLOWED)
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_a_body_over_64_kib_is_refused(client: FlaskClient, sandbox: SandboxDriver) -> None:
    space = " " * (64 * 1024 - len(json.dumps(PERSON)))
    assert post(client, json.dumps(PERSON) + space).status_code == 201
    sandbox.forget_requests()
    response = post(client, json.dumps(PERSON) + space + " ")
    check_problem(response, ErrorCode.PAYLOAD_TOO_LARGE)
    assert sandbox.requests() == []


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/xml", "text/json", "a/b"])
def test_a_body_of_another_media_type_is_refused(
    client: FlaskClient, sandbox: SandboxDriver, content_type: str
) -> None:
    response = post(client, json.dumps(PERSON), content_type)
    check_problem(response, ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"]
)
def test_json_under_its_other_names_is_taken(client: FlaskClient, content_type: str) -> None:
    assert post(client, json.dumps(PERSON), content_type).status_code == 201


WHOLE = json.dumps(PERSON)
MALFORMED = {
    "nothing": b"",
    "truncated": WHOLE[:-1].encode(),
    "followed by more": f"{WHOLE}{{}}".encode(),
    "not a number": WHOLE.replace('"E1234567"', "NaN").encode(),
    "infinity": WHOLE.replace('"E1234567"', "-Infinity").encode(),
    "a member twice": WHOLE.replace("{", '{"full_name": "A",', 1).encode(),
    "a member twice, deeper": WHOLE.replace('"type"', '"number": "A", "type"').encode(),
    "a number with 5000 digits": WHOLE.replace('"E1234567"', "1" * 5000).encode(),
    "nested 30000 deep": b'{"a":' * 10_000,
    "lists nested 60000 deep": b"[" * 60_000,
    "not UTF-8": WHOLE.encode().replace(b"ZHANG", b"ZH\xff"),
    "UTF-16": WHOLE.encode("utf-16"),
    "single quotes": WHOLE.replace('"', "'").encode(),
    "a raw line feed in a string": WHOLE.replace("ZHANG", "ZHANG\n").encode(),
    "not JSON": b"full_name=ZHANG",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_body_that_is_not_json_is_refused(
    client: FlaskClient, sandbox: SandboxDriver, body: bytes
) -> None:
    check_problem(post(client, body), ErrorCode.MALFORMED_JSON)
    assert sandbox.requests() == []


def test_a_byte_order_mark_is_no_json(client: FlaskClient) -> None:
    check_problem(post(client, b"\xef\xbb\xbf" + WHOLE.encode()), ErrorCode.MALFORMED_JSON)


@pytest.mark.parametrize("body", ["[]", '"ZHANG SAN"', "7", "true", "null", "[{}]", "1e400"])
def test_a_body_that_is_no_object_breaks_a_rule_as_a_whole(client: FlaskClient, body: str) -> None:
    problem = check_problem(post(client, body), ErrorCode.VALIDATION_FAILED)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        ("", "WRONG_TYPE")
    ]


@pytest.fixture
def crashing(app: Flask) -> FlaskClient:
    """A gateway with a view that has a bug."""

    @open_to_all
    def divide() -> Any:
        personal = "ZHANG SAN E1234567"
        raise ZeroDivisionError(personal) from ValueError(personal)

    app.add_url_rule("/crash", view_func=divide, methods=["GET", "POST"])
    return app.test_client()


@pytest.mark.parametrize(("method", "retry"), [("GET", "AFTER_DELAY"), ("POST", "SAME_KEY")])
def test_a_crash_is_a_problem_that_tells_nothing(
    crashing: FlaskClient, caplog: pytest.LogCaptureFixture, method: str, retry: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = crashing.open("/crash", method=method)
    problem = check_problem(response, ErrorCode.INTERNAL_ERROR)
    assert problem["retry"] == retry
    lines = [JsonFormatter().format(record) for record in caplog.records]
    crash = json.loads(next(line for line in lines if "exceptions" in line))
    assert [one["type"] for one in crash["exceptions"]] == [
        "builtins.ZeroDivisionError",
        "builtins.ValueError",
    ]
    assert crash["exceptions"][0]["at"][-1].endswith(" divide")
    assert "ZHANG" not in response.get_data(as_text=True) + "".join(lines)


@pytest.mark.parametrize("request_id", ["a2345678", "A-b_c.d-9", "x" * 64])
def test_a_request_id_is_taken_over(client: FlaskClient, request_id: str) -> None:
    response = client.get("/v1/nothing", headers={"X-Request-Id": request_id})
    assert check_problem(response, ErrorCode.NOT_FOUND)["request_id"] == request_id


@pytest.mark.parametrize(
    "request_id", ["", "a234567", "x" * 65, "has space", "a/23456789", "é" * 9]
)
def test_a_request_id_that_breaks_the_rule_is_replaced(
    client: FlaskClient, request_id: str
) -> None:
    ids = {
        client.get("/livez", headers={"X-Request-Id": request_id}).headers["X-Request-Id"]
        for _ in range(2)
    }
    assert len(ids) == 2
    assert request_id not in ids


MARKER = "QZXJ"
hostile = st.one_of(
    st.text(max_size=40).map(lambda text: f"{MARKER}{text}"),
    st.text(max_size=400).map(lambda text: f"{text}{MARKER}{text}"),
    st.integers(1, 9).map(lambda number: {f"{MARKER}{number}": MARKER}),
    st.lists(st.just(MARKER), max_size=3),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.lists(
        st.sampled_from(["full_name", "document", "number", "type", "partner_user_id", MARKER]),
        min_size=1,
        max_size=3,
    ),
    value=hostile,
)
def test_no_value_and_no_unknown_name_is_ever_repeated(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, path: list[str], value: Any
) -> None:
    caplog.clear()
    body: dict[str, Any] = json.loads(json.dumps(PERSON))
    place = body
    for name in path[:-1]:
        place = place.setdefault(name, {})
        if not isinstance(place, dict):
            return
    place[path[-1]] = value
    with caplog.at_level(logging.DEBUG):
        response = post(client, json.dumps(body))
    logged = "".join(JsonFormatter().format(record) for record in caplog.records)
    assert MARKER not in response.get_data(as_text=True)
    assert MARKER not in logged
    assert MARKER not in str(response.headers)


@pytest.mark.parametrize(("length", "status"), [(64 * 1024 - 1, 400), (64 * 1024 + 1, 413)])
def test_a_body_of_untold_length_has_the_same_limit(
    client: FlaskClient, length: int, status: int
) -> None:
    response = client.post(
        INDIVIDUAL_PATH,
        input_stream=io.BytesIO(b" " * length),
        content_type="application/json",
        headers=bearer(),
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert response.status_code == status


def chunks(total: int) -> Iterator[bytes]:
    for _ in range(total // 1024):
        yield b"400\r\n" + b" " * 1024 + b"\r\n"
    yield b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("kib", "status", "code"),
    [
        (65, b"413", b"PAYLOAD_TOO_LARGE"),
        (2, b"400", b"MALFORMED_JSON"),
    ],
)
def test_so_has_a_chunked_one_through_the_real_server(
    served: Local, kib: int, status: bytes, code: bytes
) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = (
            f"POST {INDIVIDUAL_PATH} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
            "Authorization: Bearer demo-key\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n"
        )
        connection.sendall(head.encode() + b"".join(chunks(kib * 1024)))
        with connection.makefile("rb") as incoming:
            answered = incoming.read()
    assert answered.split()[1] == status
    assert b"application/problem+json" in answered
    assert b'"code": "' + code in answered
