"""Log lines: one JSON line per request, and the safe part of other libraries' records."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.huawei.iam import Token
from app.observability.logs import JsonFormatter, configuration, event, logger
from app.settings import Settings
from tests.support.gateway import CUSTOMER, INDIVIDUAL_PATH, PERSON, bearer, submit
from tests.support.log import Log, check_silence
from tests.support.sandbox_driver import SandboxDriver


def test_a_request_leaves_one_log_line_with_the_fields_that_an_operator_needs(
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


def test_the_log_line_of_a_refused_request_has_its_error_code(
    client: FlaskClient, sandbox: SandboxDriver, log: Log
) -> None:
    submit(client, "code-CBC-5002-500")
    client.post(INDIVIDUAL_PATH, json={}, headers=bearer())
    client.post(INDIVIDUAL_PATH, json=PERSON)
    client.get("/v1/nothing")
    logged = [
        (line["status"], line["code"], line.get("caller"), line.get("upstream_code"))
        for line in log.requests()
    ]
    assert logged == [
        (404, "CUSTOMER_NOT_FOUND", "writer", "CBC.5002"),
        (422, "VALIDATION_FAILED", "writer", None),
        (401, "UNAUTHENTICATED", None, None),
        (404, "NOT_FOUND", None, None),
    ]
    assert len(sandbox.requests()) == 1
    check_silence(log)


def test_a_health_probe_is_logged_only_when_it_fails_or_at_debug(
    client: FlaskClient, log: Log, settings: Settings
) -> None:
    client.get("/livez")
    client.get("/readyz")
    assert [line["level"] for line in log.requests()] == ["DEBUG", "DEBUG"]
    log.clear()
    for account in settings.accounts.values():
        account.credentials[0].secret_key_file.unlink()
    unready = create_app(settings).test_client()
    response = unready.get("/readyz")
    assert response.status_code == 503
    assert "no account" in response.get_json()["detail"]
    assert [line["level"] for line in log.requests()] == ["INFO"]


def record(name: str, level: int, text: Any, *arguments: Any, **more: Any) -> dict[str, Any]:
    made = logging.LogRecord(name, level, "/x/y.py", 7, text, arguments, more.get("exc_info"))
    line: dict[str, Any] = json.loads(JsonFormatter().format(made))
    return line


def test_an_object_is_logged_by_its_repr_and_not_by_its_fields(log: Log) -> None:
    event(logger("part"), logging.WARNING, "it happened", token=Token("5ecret", 1.0, 2.0))
    assert "5ecret" not in log.text
    assert log.lines[0]["token"] == "Token(issued=1.0, expires=2.0)"


@pytest.mark.parametrize("odd", ["\ud800", 2**70])
def test_values_outside_utf_8_or_64_bits_are_logged(log: Log, odd: Any) -> None:
    event(logger("part"), logging.WARNING, "it happened", odd=odd)
    assert log.lines[0]["odd"] == odd


def test_a_log_line_of_the_gateway_is_an_event_with_fields(log: Log) -> None:
    event(logger("part"), logging.WARNING, "it happened", count=3, nothing=None)
    (line,) = log.lines
    assert isinstance(line.pop("time"), str)
    assert line == {
        "level": "WARNING",
        "logger": "gateway.part",
        "event": "it happened",
        "count": 3,
    }


@pytest.mark.parametrize(
    ("message", "arguments", "logged"),
    [
        ("Reason: %s", ["Worker failed to boot."], "Reason: Worker failed to boot."),
        ("Worker (pid:%s) was sent %s!", [7, "SIGKILL"], "Worker (pid:7) was sent SIGKILL!"),
        ("Connection in use: %s", ["('::', 80)"], "Connection in use: ('::', 80)"),
        ("Error handling request %s", ["/ZHANG-SAN"], "Error handling request %s"),
        ("Exception during worker exit:\n%s", ["ZHANG SAN"], "Exception during worker exit:\n%s"),
    ],
)
def test_errors_of_gunicorn_about_its_processes_are_logged_in_full_and_no_others(
    message: str, arguments: list[Any], logged: str
) -> None:
    assert record("gunicorn.error", logging.ERROR, message, *arguments)["event"] == logged


def test_start_and_stop_messages_of_gunicorn_are_logged_in_full() -> None:
    line = record("gunicorn.error", logging.INFO, "Listening at: %s (%s)", "http://x", 1)
    assert line["event"] == "Listening at: http://x (1)"


def test_messages_of_other_libraries_are_logged_without_their_arguments() -> None:
    line = record("urllib3", logging.WARNING, "failed for %s", "ZHANG SAN")
    assert (line["event"], line["at"]) == ("failed for %s", "/x/y.py:7")
    assert record("urllib3", logging.WARNING, "failed for ZHANG SAN")["event"] is None
    assert record("gunicorn.error", logging.ERROR, "Error: ZHANG SAN")["event"] is None
    assert record("urllib3", logging.WARNING, ValueError("ZHANG SAN"))["event"] is None
    assert "ZHANG" not in json.dumps(record("gatewayish", logging.INFO, "ZHANG SAN"))


def test_an_exception_is_logged_by_types_and_places_only() -> None:
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
def test_the_log_level_applies_to_the_gateways_own_logger_only(level: str) -> None:
    loggers = configuration(level)["loggers"]
    assert loggers["gateway"]["level"] == level
    assert configuration(level)["root"]["level"] == "WARNING"
