"""Log lines: one a request, as JSON, with neither a personal value nor a secret in any of them."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from marshmallow import Schema, fields

from app import create_app
from app.authentication import open_to_all
from app.observability.logs import JsonFormatter, configuration, event, logger
from app.settings import Settings
from tests.gateway import (
    CUSTOMER,
    INDIVIDUAL_PATH,
    PERSON,
    SECRET_KEY,
    altered,
    bearer,
    submit,
)
from tests.raw_upstream import RawUpstream, answer
from tests.sandbox_driver import SandboxDriver

PERSONAL = ("ZHANG SAN", "E1234567", "shop-981")
SECRETS = (SECRET_KEY, "writer-key", "Signature=")


class Log:
    """What the whole process logs, DEBUG included, in the form of the real log."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(JsonFormatter())

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def requests(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == "request"]

    def clear(self) -> None:
        self._stream.truncate(0)
        self._stream.seek(0)


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    level, log = root.level, Log()
    root.addHandler(log.handler)
    root.setLevel(logging.DEBUG)
    yield log
    root.removeHandler(log.handler)
    root.setLevel(level)


def check_silence(log: Log) -> None:
    """Nothing personal and no secret in it."""
    for value in (*PERSONAL, *SECRETS):
        assert value not in log.text


def test_a_request_leaves_one_line_with_what_an_operator_needs(
    client: FlaskClient, sandbox: SandboxDriver, log: Log
) -> None:
    headers = bearer() | {"X-Request-Id": "request-0001"}
    assert client.post(INDIVIDUAL_PATH, json=PERSON, headers=headers).status_code == 201
    (line,) = log.requests()
    assert isinstance(line.pop("time"), str)
    assert line.pop("milliseconds") >= line.pop("upstream_milliseconds") > 0
    assert line.pop("upstream_request_id")
    known = {
        "level": "INFO",
        "logger": "gateway.request",
        "event": "request",
        "request_id": "request-0001",
        "caller": "writer",
        "account": "default",
        "method": "POST",
        "customer_id": CUSTOMER,
        "status": 201,
        "backend": "legacy",
        "upstream_code": "CBC.0000",
        "upstream_status": 200,
        "tries": 1,
    }
    assert known.items() <= line.items()
    assert "individual" in line["operation"]
    assert len(sandbox.requests()) == 1
    check_silence(log)


def test_a_refused_request_leaves_its_code(
    client: FlaskClient, sandbox: SandboxDriver, log: Log
) -> None:
    submit(client, "code-CBC-5002-500")
    client.post(INDIVIDUAL_PATH, json={}, headers=bearer())
    client.post(INDIVIDUAL_PATH, json=PERSON)
    client.get("/v1/nothing")
    told = [
        (line["status"], line["code"], line.get("caller"), line.get("upstream_code"))
        for line in log.requests()
    ]
    assert told == [
        (404, "CUSTOMER_NOT_FOUND", "writer", "CBC.5002"),
        (422, "VALIDATION_FAILED", "writer", None),
        (401, "UNAUTHENTICATED", None, None),
        (404, "NOT_FOUND", None, None),
    ]
    assert len(sandbox.requests()) == 1
    check_silence(log)


def test_a_probe_is_heard_only_when_it_fails_or_at_debug(
    client: FlaskClient, log: Log, settings: Settings
) -> None:
    client.get("/livez")
    client.get("/readyz")
    assert [line["level"] for line in log.requests()] == ["DEBUG", "DEBUG"]
    log.clear()
    settings.accounts["default"].credentials[0].secret_key_file.unlink()
    unready = create_app(settings).test_client()
    response = unready.get("/readyz")
    assert response.status_code == 503
    assert "default" in response.get_json()["detail"]
    assert [line["level"] for line in log.requests()] == ["INFO"]


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("reset", {}),
    ("truncated", {}),
    ("hang", {"seconds": 0.3}),
    ("html", {}),
    ("bad_json", {}),
    ("huge", {}),
    ("slow_body", {"seconds": 30}),
    ("throttled", {}),
    ("status", {"status": 500, "body": {"error_msg": "ZHANG SAN E1234567"}}),
    ("code", {"code": "CBC.0100", "message": "ZHANG SAN E1234567 shop-981"}),
    ("code", {"code": "CBC.777", "message": "ZHANG SAN E1234567 shop-981"}),
    ("code", {"code": "APIGW.0301", "message": "Signature=abc|ZHANG SAN"}),
]


@pytest.mark.parametrize(("kind", "parameters"), FAULTS)
def test_no_fault_of_huaweis_makes_the_log_or_the_answer_talk(
    settings: Settings, sandbox: SandboxDriver, log: Log, kind: str, parameters: dict[str, Any]
) -> None:
    client = create_app(altered(settings, timeouts={"read": 0.2})).test_client()
    sandbox.fault("verified-info", kind, **parameters)
    text = submit(client).get_data(as_text=True)
    assert not any(value in text for value in (*PERSONAL, *SECRETS))
    check_silence(log)
    assert len(log.requests()) == 1


@pytest.mark.parametrize(
    "reply",
    [
        b"ZHANG SAN E1234567\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nZHANG SAN E1234567\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZHANG SAN\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://shop-981/ZHANG SAN\r\nContent-Length: 0\r\n\r\n",
        answer(200, "ZHANG SAN"),
        answer(400, '{"error_code": "ZHANG SAN", "request_id": "E1234567 x"}'),
        answer(400, '{"error_code": "CBC.5002"}', "X-Request-Id: ZHANG SAN"),
    ],
)
def test_nor_does_an_answer_that_is_none(settings: Settings, log: Log, reply: bytes) -> None:
    def send(connection: Any) -> None:
        connection.sendall(reply)

    with RawUpstream(send) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        text = submit(client).get_data(as_text=True)
    assert not any(value in text for value in PERSONAL)
    check_silence(log)


def test_nor_does_a_wrong_key_that_huawei_repeats_whole(
    settings: Settings, sandbox: SandboxDriver, log: Log
) -> None:
    sandbox.access_keys(SANDBOXACCESSKEY0001={"secret_key": "another"})
    response = submit(create_app(settings).test_client())
    assert response.get_json()["code"] == "UPSTREAM_ACCESS_DENIED"
    assert "canonical" not in response.get_data(as_text=True) + log.text
    check_silence(log)


class _Lengthy(Schema):
    full_name = fields.Integer(required=True)


def _validate() -> None:
    _Lengthy().load({"full_name": "ZHANG SAN", "E1234567": 1})


def _parse() -> None:
    json.loads('{"full_name": "ZHANG SAN E1234567"')


def _raise() -> None:
    personal = "ZHANG SAN E1234567"
    try:
        raise KeyError(personal)
    except KeyError:
        raise RuntimeError(personal) from None


@pytest.mark.parametrize("crash", [_validate, _parse, _raise], ids=lambda crash: crash.__name__)
def test_nor_does_a_crash_over_a_personal_value(app: Flask, log: Log, crash: Any) -> None:
    app.add_url_rule("/crash", view_func=open_to_all(crash))
    response = app.test_client().get("/crash")
    assert response.get_json()["code"] == "INTERNAL_ERROR"
    assert any("exceptions" in line for line in log.lines)
    check_silence(log)


MARKER = "QZXJ"


@hypothesis_settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.fixed_dictionaries(
        {
            "full_name": st.text(max_size=300).map(lambda text: MARKER + text),
            "document": st.fixed_dictionaries(
                {
                    "type": st.sampled_from(["PASSPORT", "ID_CARD", MARKER]),
                    "number": st.text("ab1 ", max_size=33).map(lambda text: MARKER + text),
                }
            ),
            "partner_user_id": st.text(max_size=80).map(lambda text: MARKER + text),
        },
        optional={MARKER: st.none()},
    ),
    fault=st.sampled_from([None, "CBC.0100", "CBC.5002", "CBC.424242", "APIGW.0308"]),
)
def test_no_value_of_a_body_ever_reaches_a_log(
    client: FlaskClient,
    sandbox: SandboxDriver,
    log: Log,
    body: dict[str, Any],
    fault: str | None,
) -> None:
    log.clear()
    sandbox.clear_faults()
    if fault:
        sandbox.fault("verified-info", "code", code=fault, message=json.dumps(body))
    client.post(INDIVIDUAL_PATH, json=body, headers=bearer())
    assert MARKER not in log.text
    assert len(log.requests()) == 1


def record(name: str, level: int, text: Any, *arguments: Any, **more: Any) -> dict[str, Any]:
    made = logging.LogRecord(name, level, "/x/y.py", 7, text, arguments, more.get("exc_info"))
    line: dict[str, Any] = json.loads(JsonFormatter().format(made))
    return line


def test_our_own_records_are_an_event_with_fields(log: Log) -> None:
    event(logger("part"), logging.WARNING, "it happened", count=3, nothing=None)
    (line,) = log.lines
    assert isinstance(line.pop("time"), str)
    assert line == {
        "level": "WARNING",
        "logger": "gateway.part",
        "event": "it happened",
        "count": 3,
    }


def test_of_gunicorns_start_and_stop_the_whole_text_is_kept() -> None:
    line = record("gunicorn.error", logging.INFO, "Listening at: %s (%s)", "http://x", 1)
    assert line["event"] == "Listening at: http://x (1)"


def test_of_other_libraries_only_the_constant_text_and_the_place_are_kept() -> None:
    line = record("urllib3", logging.WARNING, "failed for %s", "ZHANG SAN")
    assert (line["event"], line["at"]) == ("failed for %s", "/x/y.py:7")
    assert record("urllib3", logging.WARNING, "failed for ZHANG SAN")["event"] is None
    assert record("gunicorn.error", logging.ERROR, "Error: ZHANG SAN")["event"] is None
    assert record("urllib3", logging.WARNING, ValueError("ZHANG SAN"))["event"] is None
    assert "ZHANG" not in json.dumps(record("gatewayish", logging.INFO, "ZHANG SAN"))


def test_of_an_exception_the_types_and_places_are_kept() -> None:
    try:
        try:
            raise KeyError("ZHANG SAN")
        except KeyError as error:
            raise ValueError("ZHANG SAN") from error
    except ValueError:
        line = record("gateway.x", logging.ERROR, "failed", exc_info=sys.exc_info())
    assert [one["type"] for one in line["exceptions"]] == [
        "builtins.ValueError",
        "builtins.KeyError",
    ]
    assert all(one["at"] for one in line["exceptions"])
    assert "ZHANG" not in json.dumps(line)


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "ERROR"])
def test_the_level_is_ours_alone(level: str) -> None:
    loggers = configuration(level)["loggers"]
    assert loggers["gateway"]["level"] == level
    assert configuration(level)["root"]["level"] == "WARNING"
