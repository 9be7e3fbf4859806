"""The day on which Huawei switches the legacy call off: what is believed, when, and by whom."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.extensions import gateway as parts
from app.settings import Settings
from app.state import MemoryState, Sealing, SharedState, State
from app.verification.choice import Choice
from app.verification.switch_off import CUSTOMERS, KEPT, PROBE_INTERVAL, SwitchOff
from tests.gateway import bearer, code
from tests.raw_upstream import RawUpstream, answer
from tests.sandbox_driver import SandboxDriver
from tests.state.timing import Clock, together
from tests.state.valkey import Valkey
from tests.verification.conftest import Build, hear_of_the_switch_off
from tests.verification.gateways import (
    INDIVIDUAL,
    PERSON_FORM,
    configured,
    documented,
    fields_at_fault,
    submit,
    without,
)

NO_PICTURES = without(INDIVIDUAL, "attachments")
ID_CARD = documented(INDIVIDUAL, "ID_CARD")
ONLY_REVIEW = without(INDIVIDUAL, "partner_user_id")
LEGACY_ONLY = [NO_PICTURES, ID_CARD, without(ID_CARD, "attachments")]
SEALING = Sealing(b"k" * 32)
CHECK = "?validate_only=true"


def sent(sandbox: SandboxDriver) -> list[str]:
    """The upstream operations since the last call of this function."""
    seen = [entry["operation"] for entry in sandbox.requests()]
    sandbox.forget_requests()
    return seen


def on_clock(client: FlaskClient, clock: Clock, state: State | None = None) -> FlaskClient:
    """Let a gateway's belief about the switch-off live by the test's clock."""
    with client.application.app_context():
        account = parts().settings.accounts["default"]
        served = parts().verifications["default"]
    switch_off = SwitchOff("default", state or MemoryState(now=clock), SEALING, now=clock)
    served.choice = Choice(account, served.legacy, served.review, switch_off)
    return client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(gateway: Build, clock: Clock) -> FlaskClient:
    """A gateway that prefers legacy, on the test's clock."""
    return on_clock(gateway(backend="auto", review_share=0), clock)


def believe(client: FlaskClient, sandbox: SandboxDriver) -> None:
    """Switch the legacy call off, and let the gateway hear it often enough."""
    sandbox.settings(legacy="retired")
    hear_of_the_switch_off(client)
    sent(sandbox)


def prove(client: FlaskClient, sandbox: SandboxDriver, clock: Clock) -> None:
    """And let a probe confirm it."""
    believe(client, sandbox)
    clock.pass_time(PROBE_INTERVAL)
    assert submit(client, customer="prove").status_code == 202
    assert sent(sandbox) == ["verified-info", "individual"]


def retired(client: FlaskClient) -> str | None:
    """Since when legacy is believed to be switched off, as the operator is told."""
    answer = client.get("/v1/migration", headers=bearer("operator-key")).get_json()
    (account,) = [one for one in answer["accounts"] if one["account"] == "default"]
    since: str | None = account.get("legacy_retired_since")
    assert account["legacy_retired"] is (since is not None)
    return since


def problem(response: TestResponse) -> tuple[int, str, str, str]:
    told = response.get_json()
    return response.status_code, told["code"], told["retry"], told["fault"]


RETIRED = (502, "LEGACY_API_RETIRED", "CONTACT_OPERATOR", "GATEWAY")
UNAVAILABLE = (503, "LEGACY_API_UNAVAILABLE", "AFTER_DELAY", "GATEWAY")


# What says nothing of a switch-off

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
@pytest.mark.parametrize("backend", ["auto", "legacy"])
def test_a_404_of_a_proxy_does_not_retire_the_legacy_api(
    gateway: Build, sandbox: SandboxDriver, backend: str, fault: str, how: dict[str, Any]
) -> None:
    client = gateway(backend=backend, review_share=0)
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
def test_the_code_is_judged_before_the_status(
    settings: Settings, status: int, huaweis: str, expected: str
) -> None:
    body = json.dumps({"error_code": huaweis, "error_msg": "x"})
    with RawUpstream(answer(status, body)) as upstream:
        accounts = settings.model_dump()["accounts"]
        accounts["default"]["endpoint"] = upstream.url
        document = settings.model_dump() | {"accounts": accounts}
        client = create_app(Settings.model_validate(document)).test_client()
        assert code(submit(client, wait=1)) == expected


def test_another_failure_of_the_legacy_call_does_not_move_to_review(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    for fault in ("reset", "html", "throttled"):
        sandbox.fault("verified-info", fault, count=1)
        assert submit(client, customer=f"cust-{fault}", wait=1).status_code in (503, 504)
    assert code(submit(client, customer="code-CBC-5004")) == "CUSTOMER_NOT_ASSOCIATED"
    assert set(sent(sandbox)) == {"verified-info"}
    assert retired(client) is None


# From the first answer to the belief


@pytest.mark.parametrize("off", ["retired", "gone"])
def test_every_submission_moves_to_review_at_once_and_legacy_is_tried_until_it_is_believed(
    client: FlaskClient, sandbox: SandboxDriver, off: str
) -> None:
    sandbox.settings(legacy=off)
    for number in range(CUSTOMERS):
        assert retired(client) is None
        response = submit(client, customer=f"cust-{number}")
        assert (response.status_code, response.get_json()["backend"]) == (202, "review")
        assert sent(sandbox) == ["verified-info", "individual"]
    assert retired(client) is not None
    assert submit(client, customer="cust-after").status_code == 202
    assert sent(sandbox) == ["individual"]


def test_one_customer_alone_is_not_believed(client: FlaskClient, sandbox: SandboxDriver) -> None:
    sandbox.settings(legacy="retired")
    for _ in range(CUSTOMERS + 2):
        assert problem(submit(client, body=NO_PICTURES)) == UNAVAILABLE
    assert sent(sandbox) == ["verified-info"] * (CUSTOMERS + 2)
    assert retired(client) is None


@pytest.mark.parametrize("body", LEGACY_ONLY)
def test_while_it_is_unproven_what_only_legacy_takes_may_be_repeated(
    client: FlaskClient, sandbox: SandboxDriver, body: dict[str, Any]
) -> None:
    sandbox.settings(legacy="retired")
    first = submit(client, body=body)
    assert problem(first) == UNAVAILABLE
    assert first.get_json()["upstream"]["code"] == "APIGW.0101"
    assert first.headers["Retry-After"] == "60"
    assert fields_at_fault(first) == []
    believe(client, sandbox)
    young = submit(client, body=body, customer="cust-young")
    assert problem(young) == UNAVAILABLE
    assert young.headers["Retry-After"] == "60"
    assert sent(sandbox) == []


@pytest.mark.parametrize("body", LEGACY_ONLY)
def test_once_it_is_proven_what_only_legacy_takes_is_the_operators_to_solve(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock, body: dict[str, Any]
) -> None:
    prove(client, sandbox, clock)
    response = submit(client, body=body)
    assert problem(response) == RETIRED
    assert fields_at_fault(response) == []
    assert sent(sandbox) == []
    clock.pass_time(PROBE_INTERVAL)
    probe = submit(client, body=body)
    assert problem(probe) == RETIRED
    assert probe.get_json()["upstream"]["code"] == "APIGW.0101"
    assert sent(sandbox) == ["verified-info"]


def test_what_neither_backend_takes_is_the_callers_fault_before_and_after(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    # Legacy needs `partner_user_id`, review the attachments.
    neither = without(INDIVIDUAL, "attachments", "partner_user_id")
    before = submit(client, body=neither)
    assert problem(before) == (422, "VALIDATION_FAILED", "AFTER_FIX", "CALLER")
    prove(client, sandbox, clock)
    after = submit(client, body=neither)
    assert problem(after) == (422, "EVIDENCE_REQUIRED", "AFTER_FIX", "CALLER")
    short = {**ID_CARD, "document": {"type": "ID_CARD", "number": "x" * 40}}
    assert fields_at_fault(submit(client, body=short)) == [("/document/number", "NUMBER")]
    assert sent(sandbox) == []


def test_with_review_the_evidence_is_still_the_callers_to_send(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    sandbox.settings(legacy="retired")
    response = submit(gateway(backend="review"), body=NO_PICTURES)
    assert problem(response) == (422, "EVIDENCE_REQUIRED", "AFTER_FIX", "CALLER")
    assert sent(sandbox) == []


# The probe, and the way back


def test_one_submission_an_interval_is_the_probe_and_goes_on_to_review(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    believe(client, sandbox)
    for round_ in range(3):
        for number in range(4):
            assert submit(client, customer=f"cust-{round_}-{number}").status_code == 202
        probed = ["verified-info"] if round_ else []
        assert sent(sandbox) == probed + ["individual"] * 4
        clock.pass_time(PROBE_INTERVAL)


def test_a_probe_that_succeeds_forgets_everything(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    prove(client, sandbox, clock)
    sandbox.settings(legacy="served")
    assert problem(submit(client, body=NO_PICTURES)) == RETIRED
    clock.pass_time(PROBE_INTERVAL)
    assert submit(client, body=NO_PICTURES).status_code == 201
    assert retired(client) is None
    assert submit(client, customer="cust-2").get_json()["backend"] == "legacy"
    # What was heard before does not count any more.
    sandbox.settings(legacy="retired")
    for number in range(CUSTOMERS - 1):
        submit(client, customer=f"told-{number}")
        assert retired(client) is None
    submit(client, customer="cust-3")
    assert retired(client) is not None


def test_a_success_between_the_answers_starts_the_count_anew(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    for number in range(3 * CUSTOMERS):
        sandbox.settings(legacy="served" if number % CUSTOMERS == 0 else "retired")
        submit(client, customer=f"cust-{number}")
    assert retired(client) is None


def test_submissions_that_prefer_review_or_that_only_review_takes_are_no_probes(
    gateway: Build, sandbox: SandboxDriver, clock: Clock
) -> None:
    client = on_clock(gateway(backend="auto", review_share=100), clock)
    sandbox.settings(legacy="retired")
    for number in range(CUSTOMERS):
        assert problem(submit(client, body=NO_PICTURES, customer=f"c-{number}")) == UNAVAILABLE
    sent(sandbox)
    clock.pass_time(PROBE_INTERVAL)
    assert submit(client, customer="cust-both").status_code == 202
    assert submit(client, body=ONLY_REVIEW, customer="cust-review").status_code == 202
    assert sent(sandbox) == ["individual"] * 2
    assert problem(submit(client, body=NO_PICTURES)) == RETIRED  # the probe
    assert sent(sandbox) == ["verified-info"]


def test_a_belief_that_nobody_could_probe_lapses_to_not_known(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    prove(client, sandbox, clock)
    clock.pass_time(KEPT - 1)
    assert retired(client) is not None
    clock.pass_time(1)
    assert retired(client) is None
    assert problem(submit(client, body=NO_PICTURES)) == UNAVAILABLE
    assert sent(sandbox) == ["verified-info"]


def test_an_answer_that_was_on_its_way_when_the_belief_was_formed_proves_nothing(
    clock: Clock,
) -> None:
    switch_off = SwitchOff("default", MemoryState(now=clock), SEALING, now=clock)
    stages = [switch_off.refused(f"cust-{number}").name for number in range(5)]
    assert stages == ["SUSPECTED", "SUSPECTED", "BELIEVED", "BELIEVED", "BELIEVED"]
    clock.pass_time(PROBE_INTERVAL)
    assert switch_off.refused("cust-5").name == "PROVEN"


# A record that cannot be read


@pytest.mark.parametrize(
    "record", [b"", b"\xff", b"[]", b"{}", b"null", b'{"stage": 9}', b"[" * 100_000]
)
def test_a_record_that_cannot_be_read_is_dropped(clock: Clock, record: bytes) -> None:
    state = MemoryState(now=clock)
    switch_off = SwitchOff("default", state, SEALING, now=clock)
    switch_off.refused("cust-0")
    state.put("switch-off:default", record, KEPT)
    assert (switch_off.stage.name, switch_off.believed_since) == ("SERVED", None)
    stages = [switch_off.refused(f"cust-{number}").name for number in range(3)]
    assert stages == ["SUSPECTED", "SUSPECTED", "BELIEVED"]


# Replicas


@pytest.fixture
def valkey() -> Any:
    with Valkey() as server:
        yield server


@pytest.fixture
def replicas(
    tmp_path: Path, sandbox: SandboxDriver, valkey: Valkey, clock: Clock
) -> list[FlaskClient]:
    """Two gateways that prefer legacy, on one Valkey and on the test's clock."""
    key_file = tmp_path / "state-key"
    key_file.write_text("k" * 32)
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        settings = configured(folder, sandbox.url, backend="auto", review_share=0)
        state = {"state": {"url": valkey.url, "key_file": key_file}}
        settings = Settings.model_validate(settings.model_dump() | state)
        client = create_app(settings).test_client()
        with client.application.app_context():
            made.append(on_clock(client, clock, parts().state))
    return made


def pass_time(clock: Clock, valkey: Valkey, seconds: float) -> None:
    clock.pass_time(seconds)
    valkey.pass_time(seconds)


def test_replicas_believe_together_probe_once_together_and_forget_together(
    replicas: list[FlaskClient], sandbox: SandboxDriver, valkey: Valkey, clock: Clock
) -> None:
    one, other = replicas
    sandbox.settings(legacy="retired")
    for number, client in enumerate((one, other, one)):
        assert (retired(one), retired(other)) == (None, None)
        assert submit(client, customer=f"cust-{number}").status_code == 202
    assert retired(one) == retired(other) is not None
    sent(sandbox)

    # Young, the round of the probe that proves it, and proven.
    rounds = [({UNAVAILABLE}, 0), ({UNAVAILABLE, RETIRED}, 1), ({RETIRED}, 1)]
    for expected, probes in rounds:
        answers = together(
            8, lambda place: submit(replicas[place % 2], body=NO_PICTURES, customer=f"c-{place}")
        )
        told = {problem(answer) for answer in answers}
        assert told <= expected
        assert not probes or RETIRED in told
        assert sent(sandbox) == ["verified-info"] * probes
        pass_time(clock, valkey, PROBE_INTERVAL)

    sandbox.settings(legacy="served")
    assert submit(other, body=NO_PICTURES).status_code == 201
    assert (retired(one), retired(other)) == (None, None)
    assert submit(one, body=NO_PICTURES, customer="cust-9").status_code == 201


def test_many_who_meet_the_switch_off_at_two_replicas_at_once_all_move(
    replicas: list[FlaskClient], sandbox: SandboxDriver
) -> None:
    sandbox.settings(legacy="retired")
    answers = together(12, lambda place: submit(replicas[place % 2], customer=f"cust-{place}"))
    assert [answer.status_code for answer in answers] == [202] * 12
    seen = sent(sandbox)
    assert seen.count("individual") == 12
    assert CUSTOMERS <= seen.count("verified-info") <= 12
    assert retired(replicas[0]) == retired(replicas[1]) is not None


def test_a_replica_that_lost_the_shared_state_goes_on_by_what_it_hears_itself(
    replicas: list[FlaskClient], sandbox: SandboxDriver, valkey: Valkey
) -> None:
    one, other = replicas
    believe(one, sandbox)
    valkey.kill()
    # One wrote the belief and keeps it; the other one has never heard of it and asks.
    assert submit(one, customer="cust-1").status_code == 202
    assert sent(sandbox) == ["individual"]
    for number in range(CUSTOMERS):
        assert submit(other, customer=f"cust-1{number}").status_code == 202
        assert sent(sandbox) == ["verified-info", "individual"]
    assert submit(other, customer="cust-2").status_code == 202
    assert sent(sandbox) == ["individual"]


def test_a_state_that_lost_its_records_is_not_believed(
    replicas: list[FlaskClient], sandbox: SandboxDriver, valkey: Valkey
) -> None:
    one, _ = replicas
    believe(one, sandbox)
    valkey.clear()
    assert retired(one) is None
    assert submit(one, customer="cust-1").status_code == 202
    assert sent(sandbox) == ["verified-info", "individual"]


def test_what_is_stored_names_no_customer(
    replicas: list[FlaskClient], sandbox: SandboxDriver, valkey: Valkey
) -> None:
    believe(replicas[0], sandbox)
    stored = {key: value for key, value in valkey.values().items() if b"switch-off" in key}
    assert stored
    assert b"told-" not in b"".join((*stored.keys(), *stored.values()))


def test_a_lost_state_does_not_keep_what_another_replica_forgot(
    valkey: Valkey, clock: Clock
) -> None:
    states = [SharedState(valkey.settings) for _ in range(2)]
    one, other = (SwitchOff("default", state, SEALING, now=clock) for state in states)
    for number in range(CUSTOMERS):
        one.refused(f"cust-{number}")
    other.served()
    assert (one.stage.name, other.stage.name) == ("SERVED", "SERVED")


# Nothing is remembered where there is no choice


@pytest.mark.parametrize("off", ["retired", "gone"])
def test_with_legacy_each_submission_is_sent_and_nothing_is_remembered(
    gateway: Build, sandbox: SandboxDriver, off: str
) -> None:
    client = gateway(backend="legacy")
    sandbox.settings(legacy=off)
    for number in range(CUSTOMERS + 1):
        response = submit(client, customer=f"cust-{number}")
        assert problem(response) == RETIRED
        assert "upstream" in response.get_json()
    assert sent(sandbox) == ["verified-info"] * (CUSTOMERS + 1)
    assert retired(client) is None
    assert submit(client, query=CHECK).get_json()["taken"] is True
    sandbox.settings(legacy="served")
    assert submit(client).status_code == 201


def test_accounts_believe_it_each_for_itself(gateway: Build, sandbox: SandboxDriver) -> None:
    client = gateway(backend="auto", review_share=0)
    believe(client, sandbox)
    sandbox.settings(legacy="served")
    assert submit(client, PERSON_FORM, key="second-key").status_code == 201
    assert retired(client) is not None


# What is told


def test_an_answer_that_was_given_is_replayed_after_the_switch_off(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    path = "/v1/customers/cust-0001/verifications/individual"
    headers = {**bearer(), "Idempotency-Key": "order-1"}
    assert client.post(path, json=NO_PICTURES, headers=headers).status_code == 201
    prove(client, sandbox, clock)
    replayed = client.post(path, json=NO_PICTURES, headers=headers)
    assert (replayed.status_code, replayed.headers["Idempotent-Replayed"]) == (201, "true")
    assert sent(sandbox) == []


def test_the_key_of_a_submission_that_was_not_processed_may_be_used_again(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    path = "/v1/customers/cust-0001/verifications/individual"
    headers = {**bearer(), "Idempotency-Key": "order-1"}
    sandbox.settings(legacy="retired")
    assert problem(client.post(path, json=NO_PICTURES, headers=headers)) == UNAVAILABLE
    sandbox.settings(legacy="served")
    assert client.post(path, json=NO_PICTURES, headers=headers).status_code == 201


def test_a_check_tells_what_would_be_sent_and_is_no_probe(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock
) -> None:
    assert submit(client, query=CHECK).get_json()["backend"] == "legacy"
    believe(client, sandbox)
    clock.pass_time(PROBE_INTERVAL)
    checked = submit(client, query=CHECK).get_json()
    assert (checked["taken"], checked["backend"]) == (True, "review")
    checked = submit(client, body=NO_PICTURES, query=CHECK).get_json()
    assert (checked["taken"], checked["backend"]) == (False, "review")
    assert [one["takes"] for one in checked["backends"]] == [False, False]
    assert [len(one["errors"]) for one in checked["backends"]] == [0, 1]
    assert sent(sandbox) == []


def test_capabilities_list_what_is_served(client: FlaskClient, sandbox: SandboxDriver) -> None:
    def backends() -> list[str]:
        told: list[str] = client.get("/v1/capabilities", headers=bearer()).get_json()["backends"]
        return told

    sandbox.settings(legacy="retired")
    submit(client)
    assert backends() == ["legacy", "review"]
    believe(client, sandbox)
    assert backends() == ["review"]


def test_the_log_tells_when_it_is_suspected_believed_confirmed_and_over(
    client: FlaskClient, sandbox: SandboxDriver, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    prove(client, sandbox, clock)
    sandbox.settings(legacy="served")
    clock.pass_time(PROBE_INTERVAL)
    submit(client)
    lines = [one for one in caplog.records if one.name == "gateway.switch_off"]
    assert [one.levelno for one in lines] == [
        logging.WARNING,
        logging.ERROR,
        logging.ERROR,
        logging.WARNING,
    ]
