"""Every problem that may be repeated after a pause says how long the pause is."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient

from app.api.authentication import open_to_all
from app.api.problems.document import raw_answer
from app.errors import ErrorCode, GatewayError, Retry
from app.settings import Settings
from demo.local import PROJECT, free_port
from tests.support.accounts import gateway
from tests.support.gateway import altered, bearer, submit
from tests.support.sandbox_driver import SandboxDriver

WAITING = {Retry.AFTER_DELAY.value, Retry.SAME_KEY.value}
HEADER = "Retry-After"
SPEC: dict[str, Any] = yaml.safe_load((PROJECT / "openapi/openapi.yaml").read_text())


@pytest.fixture
def failing(app: Flask) -> FlaskClient:
    """A gateway with a path that fails with whatever entry of the catalogue it names."""

    @open_to_all
    def fail(name: str) -> Any:
        raise GatewayError(ErrorCode[name])

    app.add_url_rule("/fail/<name>", view_func=fail, methods=["GET", "POST"])
    return app.test_client()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("code", ErrorCode)
def test_a_problem_names_its_seconds_if_and_only_if_its_advice_is_to_wait(
    failing: FlaskClient, code: ErrorCode, method: str
) -> None:
    response = failing.open(f"/fail/{code.name}", method=method)
    problem = response.get_json()
    assert problem["code"] == code.name
    if problem["retry"] in WAITING:
        assert problem["retry_after_s"] >= 1
        assert response.headers[HEADER] == str(problem["retry_after_s"])
    else:
        assert "retry_after_s" not in problem
        assert HEADER not in response.headers


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "reset"}, "UPSTREAM_ERROR"),
        ({"kind": "html"}, "UPSTREAM_MALFORMED"),
        ({"kind": "code", "code": "CBC.0999"}, "UPSTREAM_ERROR"),
        ({"kind": "code", "code": "CBC.12345678"}, "UPSTREAM_UNMAPPED"),
        ({"kind": "code", "code": "CBC.5005"}, "VERIFICATION_IN_PROGRESS"),
        ({"kind": "code", "code": "APIGW.0602"}, "INTERNAL_ERROR"),
    ],
)
def test_failures_of_huaweis_name_their_seconds_to_reads(
    settings: Settings, sandbox: SandboxDriver, fault: dict[str, Any], code: str
) -> None:
    client = gateway(settings)
    sandbox.fault("result", **fault)
    response = client.get("/v1/customers/cust-1/verification", headers=bearer())
    assert (response.get_json()["code"], response.get_json()["retry"]) == (code, "AFTER_DELAY")
    assert response.headers[HEADER] == str(getattr(ErrorCode, code).pause).removesuffix(".0")


def test_where_huawei_cannot_be_reached_seconds_are_named(settings: Settings) -> None:
    nowhere = altered(settings, endpoint=f"http://127.0.0.1:{free_port()}")
    response = submit(gateway(nowhere))
    assert response.get_json()["code"] == "UPSTREAM_UNREACHABLE"
    assert int(response.headers[HEADER]) == response.get_json()["retry_after_s"] == 3


def test_an_answer_to_a_request_that_flask_never_saw_names_its_seconds() -> None:
    head, _, body = raw_answer(500).decode().partition("\r\n\r\n")
    assert f"{HEADER}: {json.loads(body)['retry_after_s']}" in head.split("\r\n")
    assert HEADER not in raw_answer(400).decode()


def test_the_contract_documents_the_header_wherever_a_problem_may_have_it() -> None:
    answers = [
        answer
        for item in SPEC["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
        for answer in operation["responses"].values()
        if "application/problem+json" in answer.get("content", {})
    ]
    answers.append(SPEC["components"]["responses"]["DEFAULT_ERROR"])
    documented = 0
    for answer in answers:
        names = answer["content"]["application/problem+json"]["examples"]
        waits = any(ErrorCode[name].pause for name in names)
        assert (HEADER in answer.get("headers", {})) is waits
        documented += waits
    assert documented > 10
