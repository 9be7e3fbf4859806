"""Every problem that may be repeated after a pause has `Retry-After`."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from app import create_app
from app.api.authentication import open_to_all
from app.api.problems.document import raw_answer
from app.errors import ErrorCode, GatewayError, Retry
from app.settings import Settings
from demo.local import PROJECT, free_port
from tests.support.accounts import gateway
from tests.support.gateway import altered, bearer, configuration, submit
from tests.support.sandbox_driver import SandboxDriver

WAITING = {Retry.AFTER_DELAY.value, Retry.SAME_KEY.value}
HEADER = "Retry-After"
SPEC: dict[str, Any] = yaml.load((PROJECT / "openapi/openapi.yaml").read_text(), yaml.CSafeLoader)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> FlaskClient:
    """A gateway with a path that fails with the error code in the path."""
    document = configuration(tmp_path_factory.mktemp("failing"), sandbox_url)
    app = create_app(Settings.model_validate(document))

    @open_to_all
    def fail(name: str) -> Any:
        raise GatewayError(ErrorCode[name])

    app.add_url_rule("/fail/<name>", view_func=fail, methods=["GET", "POST"])
    return app.test_client()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("code", ErrorCode)
def test_a_problem_has_retry_after_if_and_only_if_it_may_be_repeated_after_a_pause(
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
def test_failures_of_huawei_have_retry_after_on_reads(
    settings: Settings, sandbox: SandboxDriver, fault: dict[str, Any], code: str
) -> None:
    client = gateway(settings)
    sandbox.fault("result", **fault)
    response = client.get("/v1/customers/cust-1/verification", headers=bearer())
    assert (response.get_json()["code"], response.get_json()["retry"]) == (code, "AFTER_DELAY")
    assert response.headers[HEADER] == str(getattr(ErrorCode, code).pause).removesuffix(".0")


def test_an_unreachable_upstream_has_retry_after(settings: Settings) -> None:
    nowhere = altered(settings, endpoint=f"http://127.0.0.1:{free_port()}")
    response = submit(gateway(nowhere))
    assert response.get_json()["code"] == "UPSTREAM_UNREACHABLE"
    assert int(response.headers[HEADER]) == response.get_json()["retry_after_s"] == 3


def test_an_answer_that_gunicorn_gives_without_flask_has_retry_after() -> None:
    head, _, body = raw_answer(500).decode().partition("\r\n\r\n")
    assert f"{HEADER}: {json.loads(body)['retry_after_s']}" in head.split("\r\n")
    assert HEADER not in raw_answer(400).decode()


def test_the_contract_documents_retry_after_on_every_problem_that_may_have_it() -> None:
    answers = SPEC["components"]["responses"].values()
    documented = 0
    for answer in answers:
        names = answer["content"]["application/problem+json"]["examples"]
        waits = any(ErrorCode[name].pause for name in names)
        assert (HEADER in answer.get("headers", {})) is waits
        documented += waits
    assert documented > 10
