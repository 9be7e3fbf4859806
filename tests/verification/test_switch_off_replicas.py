"""The belief in the switch-off that replicas share in Valkey, and its loss."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.api.extensions import gateway as parts
from app.settings import Settings
from app.verification.switch_off import CUSTOMERS, PROBE_INTERVAL, SwitchOff
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock, together
from tests.support.valkey import STATE_KEY, Valkey
from tests.support.verifications import (
    configured,
    submit,
)
from tests.verification.switched_off import (
    NO_PICTURES,
    RETIRED,
    SEALING,
    UNAVAILABLE,
    believe,
    on_clock,
    problem,
    retired,
    sent,
)


@pytest.fixture
def replicas(
    tmp_path: Path, sandbox: SandboxDriver, mortal: Valkey, clock: Clock
) -> list[FlaskClient]:
    """Two gateways that prefer legacy, on one Valkey and on the test's clock."""
    key_file = tmp_path / "state-key"
    key_file.write_text(STATE_KEY)
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        settings = configured(folder, sandbox.url, backend="auto", review_share=0)
        state = {"state": {"url": mortal.url, "key_file": key_file}}
        settings = Settings.model_validate(settings.model_dump(exclude_unset=True) | state)
        client = create_app(settings).test_client()
        with client.application.app_context():
            made.append(on_clock(client, clock, parts().state))
    return made


def pass_time(clock: Clock, mortal: Valkey, seconds: float) -> None:
    clock.pass_time(seconds)
    mortal.pass_time(seconds)


def test_replicas_share_the_belief_the_probe_and_the_recovery(
    replicas: list[FlaskClient], sandbox: SandboxDriver, mortal: Valkey, clock: Clock
) -> None:
    one, other = replicas
    sandbox.settings(legacy="retired")
    for number, client in enumerate((one, other, one)):
        assert (retired(one), retired(other)) == (None, None)
        assert submit(client, customer=f"cust-{number}").status_code == 202
    assert retired(one) == retired(other) is not None
    sent(sandbox)

    # Stages: new, during the confirming probe, and confirmed.
    rounds = [({UNAVAILABLE}, 0), ({UNAVAILABLE, RETIRED}, 1), ({RETIRED}, 1)]
    for expected, probes in rounds:
        answers = together(
            8, lambda place: submit(replicas[place % 2], body=NO_PICTURES, customer=f"c-{place}")
        )
        answered = {problem(answer) for answer in answers}
        assert answered <= expected
        assert not probes or RETIRED in answered
        assert sent(sandbox) == ["verified-info"] * probes
        pass_time(clock, mortal, PROBE_INTERVAL)

    sandbox.settings(legacy="served")
    assert submit(other, body=NO_PICTURES).status_code == 201
    assert (retired(one), retired(other)) == (None, None)
    assert submit(one, body=NO_PICTURES, customer="cust-9").status_code == 201


def test_many_concurrent_submissions_at_two_replicas_all_move_to_review(
    replicas: list[FlaskClient], sandbox: SandboxDriver
) -> None:
    sandbox.settings(legacy="retired")
    answers = together(12, lambda place: submit(replicas[place % 2], customer=f"cust-{place}"))
    assert [answer.status_code for answer in answers] == [202] * 12
    seen = sent(sandbox)
    assert seen.count("individual") == 12
    assert CUSTOMERS <= seen.count("verified-info") <= 12
    assert retired(replicas[0]) == retired(replicas[1]) is not None


def test_a_replica_that_lost_the_shared_state_relies_on_its_own_evidence(
    replicas: list[FlaskClient], sandbox: SandboxDriver, mortal: Valkey
) -> None:
    one, other = replicas
    believe(one, sandbox)
    mortal.kill()
    # One replica wrote the belief and keeps it; the other does not know it and asks.
    assert submit(one, customer="cust-1").status_code == 202
    assert sent(sandbox) == ["individual"]
    for number in range(CUSTOMERS):
        assert submit(other, customer=f"cust-1{number}").status_code == 202
        assert sent(sandbox) == ["verified-info", "individual"]
    assert submit(other, customer="cust-2").status_code == 202
    assert sent(sandbox) == ["individual"]


def test_the_belief_ends_when_the_shared_state_loses_its_records(
    replicas: list[FlaskClient], sandbox: SandboxDriver, mortal: Valkey
) -> None:
    one, _ = replicas
    believe(one, sandbox)
    mortal.clear()
    assert retired(one) is None
    assert submit(one, customer="cust-1").status_code == 202
    assert sent(sandbox) == ["verified-info", "individual"]


def test_the_stored_record_of_the_switch_off_names_no_customer(
    replicas: list[FlaskClient], sandbox: SandboxDriver, mortal: Valkey
) -> None:
    believe(replicas[0], sandbox)
    record = mortal.value("switch-off:default")
    assert record is not None
    name = f"switch-off:default:{json.loads(record)['episode']}"
    stored = [record, *(mortal.value(f"{name}:{place}") or b"" for place in (1, 2))]
    assert all(stored)
    assert b"told-" not in b"".join(stored)


def test_a_replica_that_lost_the_state_does_not_keep_a_belief_that_another_cleared(
    mortal: Valkey, clock: Clock
) -> None:
    states = [mortal.state() for _ in range(2)]
    one, other = (SwitchOff("default", state, SEALING, now=clock) for state in states)
    for number in range(CUSTOMERS):
        one.refused(f"cust-{number}")
    other.served()
    assert (one.stage.name, other.stage.name) == ("SERVED", "SERVED")
