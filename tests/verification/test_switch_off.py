"""The day on which Huawei switches the legacy call off."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.extensions import gateway as parts
from app.verification.legacy import PROBE_INTERVAL, LegacyBackend
from tests.gateway import bearer, code
from tests.sandbox_driver import SandboxDriver
from tests.verification.conftest import Build
from tests.verification.gateways import (
    INDIVIDUAL,
    PERSON_FORM,
    documented,
    fields_at_fault,
    submit,
    without,
)

NO_PICTURES = without(INDIVIDUAL, "attachments")
ID_CARD = documented(INDIVIDUAL, "ID_CARD")
SWITCHED_OFF = ["retired", "gone"]


def sent(sandbox: SandboxDriver) -> list[str]:
    return [entry["operation"] for entry in sandbox.requests()]


@pytest.fixture(params=SWITCHED_OFF)
def off(request: pytest.FixtureRequest, sandbox: SandboxDriver) -> str:
    """Switches the legacy call off before anything was sent."""
    how: str = request.param
    sandbox.settings(legacy=how)
    return how


@pytest.mark.usefixtures("off")
def test_auto_moves_to_review_in_the_same_request_and_remembers_it(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    client = gateway(backend="auto", review_share=0)
    answers = [submit(client, customer=f"cust-{number}") for number in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert {answer.get_json()["backend"] for answer in answers} == {"review"}
    assert sent(sandbox) == ["verified-info", "individual", "individual", "individual"]


@pytest.mark.parametrize("number", [404, 410])
def test_a_status_without_huaweis_code_tells_of_the_switch_off_too(
    gateway: Build, sandbox: SandboxDriver, number: int
) -> None:
    sandbox.fault("verified-info", "status", status=number, body="<html>no</html>")
    client = gateway(backend="auto", review_share=0)
    assert submit(client).status_code == 202
    assert sent(sandbox) == ["verified-info", "individual"]


def test_another_failure_of_the_legacy_call_does_not_move_to_review(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    client = gateway(backend="auto", review_share=0)
    for fault in ("reset", "html", "throttled"):
        sandbox.fault("verified-info", fault, count=1)
        assert submit(client, customer=f"cust-{fault}", wait=1).status_code in (503, 504)
    assert code(submit(client, customer="code-CBC-5004")) == "CUSTOMER_NOT_ASSOCIATED"
    assert set(sent(sandbox)) == {"verified-info"}


@pytest.mark.usefixtures("off")
def test_legacy_says_so_and_stops_sending(gateway: Build, sandbox: SandboxDriver) -> None:
    client = gateway(backend="legacy")
    first, second = submit(client), submit(client)
    for response in (first, second):
        assert (response.status_code, code(response)) == (502, "LEGACY_API_RETIRED")
        problem = response.get_json()
        assert (problem["retry"], problem["fault"]) == ("CONTACT_OPERATOR", "GATEWAY")
    assert "upstream" in first.get_json()
    assert "upstream" not in second.get_json()
    assert sent(sandbox) == ["verified-info"]


# body -> what auto says to it once the legacy call is gone
REFUSED: list[tuple[dict[str, Any], str, list[tuple[str, str]]]] = [
    (NO_PICTURES, "EVIDENCE_REQUIRED", [("/attachments", "EVIDENCE_REQUIRED")]),
    (ID_CARD, "DOCUMENT_TYPE_UNSUPPORTED", [("/document/type", "DOCUMENT_TYPE_UNSUPPORTED")]),
    (
        without(ID_CARD, "attachments"),
        "DOCUMENT_TYPE_UNSUPPORTED",
        [
            ("/attachments", "EVIDENCE_REQUIRED"),
            ("/document/type", "DOCUMENT_TYPE_UNSUPPORTED"),
        ],
    ),
]


@pytest.mark.usefixtures("off")
@pytest.mark.parametrize("known", [False, True], ids=["seen now", "known before"])
@pytest.mark.parametrize(("body", "problem", "errors"), REFUSED)
def test_auto_names_what_review_misses(
    gateway: Build,
    sandbox: SandboxDriver,
    known: bool,
    body: dict[str, Any],
    problem: str,
    errors: list[tuple[str, str]],
) -> None:
    client = gateway(backend="auto", review_share=0)
    if known:
        assert submit(client, customer="cust-before").status_code == 202
        sandbox.forget_requests()
    response = submit(client, body=body)
    assert (response.status_code, code(response)) == (422, problem)
    assert fields_at_fault(response) == errors
    assert sent(sandbox) == ([] if known else ["verified-info"])


def test_before_the_switch_off_auto_takes_them_without_pictures(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    client = gateway(backend="auto", review_share=100)
    for number, body in enumerate((NO_PICTURES, ID_CARD, without(ID_CARD, "attachments"))):
        answer = submit(client, body=body, customer=f"cust-{number}")
        assert (answer.status_code, answer.get_json()["backend"]) == (201, "legacy")
    assert set(sent(sandbox)) == {"verified-info"}


def test_many_who_meet_the_switch_off_at_once_all_move(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    app = gateway(backend="auto", review_share=0).application
    sandbox.settings(legacy="retired")

    def one(number: int) -> int:
        return submit(app.test_client(), customer=f"cust-{number}").status_code

    with ThreadPoolExecutor(12) as threads:
        assert set(threads.map(one, range(12))) == {202}
    assert sent(sandbox).count("individual") == 12
    assert 1 <= sent(sandbox).count("verified-info") <= 12


class Clock:
    """A clock that stands still until it is moved."""

    seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=self.seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(gateway: Build, clock: Clock) -> FlaskClient:
    """A gateway whose legacy backend is on a clock of the test's."""
    client = gateway(backend="legacy")
    with client.application.app_context():
        verifications = parts().verifications["default"]
    partner_center = verifications.legacy._partner_center
    verifications.legacy = LegacyBackend(
        partner_center, "integer", now=clock.now, monotonic=clock.monotonic
    )
    return client


def retired_since(client: FlaskClient) -> str | None:
    answer = client.get("/v1/migration", headers=bearer("operator-key")).get_json()
    (account,) = [one for one in answer["accounts"] if one["account"] == "default"]
    since: str | None = account.get("legacy_retired_since")
    assert account["legacy_retired"] is (since is not None)
    return since


def test_the_legacy_call_is_tried_again_after_the_interval_and_not_before(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    sandbox.settings(legacy="retired")
    for elapsed, calls in ((0, 1), (PROBE_INTERVAL - 1, 1), (1, 2), (0, 2)):
        clock.seconds += elapsed
        assert code(submit(client)) == "LEGACY_API_RETIRED"
        assert sent(sandbox) == ["verified-info"] * calls
    assert retired_since(client) == f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"


def test_a_legacy_call_that_serves_again_is_forgotten_to_have_been_off(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    sandbox.settings(legacy="gone")
    assert code(submit(client)) == "LEGACY_API_RETIRED"
    assert retired_since(client) == f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    sandbox.settings(legacy="served")
    clock.seconds += PROBE_INTERVAL
    assert submit(client).status_code == 201
    assert retired_since(client) is None


def test_another_failure_is_not_taken_for_the_switch_off(client: FlaskClient) -> None:
    assert code(submit(client, customer="code-CBC-5004")) == "CUSTOMER_NOT_ASSOCIATED"
    assert retired_since(client) is None
    assert submit(client).status_code == 201


def test_accounts_remember_it_each_for_itself(gateway: Build, sandbox: SandboxDriver) -> None:
    client: FlaskClient = gateway(backend="legacy")
    sandbox.settings(legacy="retired")
    assert code(submit(client)) == "LEGACY_API_RETIRED"
    sandbox.settings(legacy="served")
    assert submit(client, key="second-key").status_code == 201
    assert code(submit(client, PERSON_FORM)) == "LEGACY_API_RETIRED"
