"""Bodies that are not JSON, too long or of another media type are refused and not repeated."""

from __future__ import annotations

import gzip
import io
import json
import logging
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.errors import ErrorCode
from app.observability.logs import JsonFormatter
from demo.local import Local
from tests.support.gateway import INDIVIDUAL_PATH, PERSON, bearer, check_problem
from tests.support.sandbox_driver import SandboxDriver


@pytest.fixture
def client(shared_client: FlaskClient, sandbox: SandboxDriver) -> FlaskClient:  # noqa: ARG001
    return shared_client


def post(client: FlaskClient, body: bytes | str, content_type: str = "application/json") -> Any:
    return client.post(INDIVIDUAL_PATH, data=body, content_type=content_type, headers=bearer())


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
    "body", [json.dumps(PERSON).encode(), gzip.compress(b"{}")], ids=["plain", "packed"]
)
def test_a_compressed_body_is_refused_by_its_media_type(
    client: FlaskClient, sandbox: SandboxDriver, body: bytes
) -> None:
    headers = {**bearer(), "Content-Encoding": "gzip", "Content-Type": "application/json"}
    response = client.post(INDIVIDUAL_PATH, data=body, headers=headers)
    check_problem(response, ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    assert "`Content-Encoding`" in response.get_json()["detail"]
    assert sandbox.requests() == []


class Lost(io.RawIOBase):
    """A body whose sender has disconnected."""

    def readable(self) -> bool:
        return True

    def readinto(self, _: Any) -> int:
        raise ConnectionError


@pytest.mark.parametrize("body", [io.BytesIO(b'{"full'), Lost()])
def test_a_body_shorter_than_its_content_length_is_refused(
    client: FlaskClient, sandbox: SandboxDriver, body: Any
) -> None:
    response = client.post(
        INDIVIDUAL_PATH,
        headers={**bearer(), "Content-Type": "application/json"},
        environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": "100"},
    )
    check_problem(response, ErrorCode.BAD_REQUEST)
    assert sandbox.requests() == []


def test_a_complete_document_in_a_truncated_body_is_refused(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    body = json.dumps(PERSON).encode()
    response = client.post(
        INDIVIDUAL_PATH,
        headers={**bearer(), "Content-Type": "application/json"},
        environ_overrides={
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,  # as gunicorn sets it
            "CONTENT_LENGTH": str(len(body) + 1),
        },
    )
    check_problem(response, ErrorCode.BAD_REQUEST)
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"]
)
def test_media_types_that_mean_json_are_accepted(client: FlaskClient, content_type: str) -> None:
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


def test_a_body_with_a_byte_order_mark_is_refused(client: FlaskClient) -> None:
    check_problem(post(client, b"\xef\xbb\xbf" + WHOLE.encode()), ErrorCode.MALFORMED_JSON)


@pytest.mark.parametrize("body", ["[]", '"ZHANG SAN"', "7", "true", "null", "[{}]", "1e400"])
def test_a_body_that_is_not_an_object_is_refused_at_the_root(
    client: FlaskClient, body: str
) -> None:
    problem = check_problem(post(client, body), ErrorCode.VALIDATION_FAILED)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        ("", "WRONG_TYPE")
    ]


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
def test_a_problem_repeats_neither_values_nor_unknown_field_names(
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
def test_a_body_without_a_content_length_has_the_limit_of_64_kib(
    client: FlaskClient, length: int, status: int
) -> None:
    builder = EnvironBuilder(
        INDIVIDUAL_PATH,
        method="POST",
        input_stream=io.BytesIO(b" " * length),
        content_type="application/json",
        headers=list(bearer().items()),
    )
    environ = builder.get_environ() | {"wsgi.input_terminated": True}
    del environ["CONTENT_LENGTH"]
    _, answered, _ = run_wsgi_app(client.application, environ)
    assert int(answered.split()[0]) == status


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
def test_a_chunked_body_has_the_limit_of_64_kib_under_gunicorn(
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
