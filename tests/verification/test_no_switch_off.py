"""Answers of the legacy call that are not evidence of the switch-off."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from app.verification.switch_off import CUSTOMERS
from tests.support.gateway import code
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock
from tests.support.verifications import (
    submit,
)
from tests.verification.conftest import Build
from tests.verification.switched_off import (
    on_clock,
    problem,
    retired,
    sent,
)


@pytest.fixture
def client(gateway: Build, clock: Clock) -> FlaskClient:
    """A gateway that prefers legacy, on the test's clock."""
    return on_clock(gateway(backend="auto", review_share=0), clock)


NO_WORD_OF_HUAWEIS = [
    ("html", {"status": 404}),
    ("html", {"status": 410}),
    ("status", {"status": 404}),
    ("status", {"status": 410}),
    ("status", {"status": 404, "body": {"message": "no route"}}),
    ("status", {"status": 410, "body": {"error": "gone"}}),
    ("status", {"status": 410, "body": ["APIGW.0101"]}),
]


@pytest.mark.parametrize(("fault", "how"), NO_WORD_OF_HUAWEIS)
@pytest.mark.parametrize(
    "preferring", [{"backend": "auto", "review_share": 0}, {"backend": "legacy"}]
)
def test_a_404_of_a_proxy_does_not_retire_the_legacy_api(
    gateway: Build,
    sandbox: SandboxDriver,
    preferring: dict[str, Any],
    fault: str,
    how: dict[str, Any],
) -> None:
    client = gateway(**preferring)
    sandbox.fault("verified-info", fault, **how)
    for number in range(CUSTOMERS + 1):
        response = submit(client, customer=f"cust-{number}")
        assert problem(response) == (502, "UPSTREAM_MALFORMED", "SAME_KEY", "UPSTREAM")
    assert sent(sandbox) == ["verified-info"] * (CUSTOMERS + 1)
    assert retired(client) is None
    sandbox.clear_faults()
    assert submit(client).get_json()["backend"] == "legacy"


@pytest.mark.parametrize(
    ("status", "huaweis", "expected"),
    [
        (410, "IAM.0020", "UPSTREAM_ERROR"),
        (410, "CBC.5002", "CUSTOMER_NOT_FOUND"),
        (410, "APIGW.0308", "UPSTREAM_THROTTLED"),
        (404, "CBC.99999410", "UPSTREAM_UNMAPPED"),
        (410, "Gone", "UPSTREAM_UNMAPPED"),
        (410, "APIGW.0101", "LEGACY_API_RETIRED"),
        (410, "APIG.0101", "LEGACY_API_RETIRED"),
        (404, "APIG.0101", "LEGACY_API_RETIRED"),
        (200, "APIGW.0101", "LEGACY_API_RETIRED"),
        (503, "APIGW.0101", "LEGACY_API_RETIRED"),
        (410, "CBC.99999410", "LEGACY_API_RETIRED"),
        (410, "CBC.0999", "LEGACY_API_RETIRED"),
    ],
)
def test_the_code_of_a_legacy_answer_is_judged_before_its_status(
    settings: Settings, status: int, huaweis: str, expected: str
) -> None:
    body = json.dumps({"error_code": huaweis, "error_msg": "x"})
    with RawUpstream(answer(status, body)) as upstream:
        accounts = settings.model_dump(exclude_unset=True)["accounts"]
        accounts["default"]["endpoint"] = upstream.url
        document = settings.model_dump(exclude_unset=True) | {"accounts": accounts}
        client = create_app(Settings.model_validate(document)).test_client()
        assert code(submit(client, wait=2)) == expected


def test_another_failure_of_the_legacy_call_does_not_move_to_review(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    for fault in ("reset", "html", "throttled"):
        sandbox.fault("verified-info", fault, count=1)
        assert submit(client, customer=f"cust-{fault}", wait=2).status_code in (503, 504)
    assert code(submit(client, customer="code-CBC-5004")) == "CUSTOMER_NOT_ASSOCIATED"
    assert set(sent(sandbox)) == {"verified-info"}
    assert retired(client) is None
