"""No personal value or secret reaches a log or an answer on faults of Huawei or crashes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from marshmallow import Schema, fields

from app import create_app
from app.api.authentication import open_to_all
from app.settings import Settings
from tests.support.gateway import INDIVIDUAL_PATH, altered, bearer, submit
from tests.support.log import PERSONAL, SECRETS, Log, check_silence
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver

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
def test_no_fault_of_huawei_puts_a_secret_or_personal_value_into_log_or_answer(
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
def test_an_unreadable_answer_puts_no_personal_value_into_log_or_answer(
    settings: Settings, log: Log, reply: bytes
) -> None:
    def send(connection: Any) -> None:
        connection.sendall(reply)

    with RawUpstream(send) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        text = submit(client).get_data(as_text=True)
    assert not any(value in text for value in PERSONAL)
    check_silence(log)


def test_a_refusal_that_echoes_the_canonical_request_does_not_reach_log_or_answer(
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
def test_a_crash_over_a_personal_value_does_not_log_the_value(
    app: Flask, log: Log, crash: Any
) -> None:
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
