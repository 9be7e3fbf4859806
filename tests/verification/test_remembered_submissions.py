"""What the gateway remembers of a submission: when it was sent, and of which kind it was."""

from __future__ import annotations

import re

import pytest

from tests.support.fixtures import Build
from tests.support.patience import REPLAYED, new_customer, read, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.valkey import DAY, Valkey
from tests.support.verifications import ENTERPRISE, INDIVIDUAL

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
states = pytest.mark.parametrize("state", ["memory", "redis"])


@states
@pytest.mark.parametrize("backend", ["legacy", "review"])
def test_a_submission_and_its_replay_tell_when_it_was_submitted(
    kept: Build, backend: str, state: str
) -> None:
    app, customer = kept(state, backend), new_customer()
    first, again = (submit(app, customer, "key-1").get_json() for _ in range(2))
    assert re.fullmatch(TIME, first["submitted_at"])
    assert first["submitted_at"] <= first["checked_at"]
    assert again["submitted_at"] == first["submitted_at"]
    assert "submitted_at" not in read(app, customer).get_json()


def test_every_replica_remembers_a_key_for_24_hours(
    kept: Build, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    customer, other = new_customer(), kept("redis", "legacy", "another replica")
    submit(kept("redis", "legacy"), customer, "key-1")
    valkey.pass_time(DAY - 60)
    assert submit(other, customer, "key-1").headers[REPLAYED] == "true"
    valkey.pass_time(60)
    assert REPLAYED not in submit(other, customer, "key-1").headers
    assert len(sandbox.submissions()) == 2


@states
@pytest.mark.parametrize(
    ("form", "body", "kind"),
    [
        ("individual", INDIVIDUAL, "INDIVIDUAL"),
        ("enterprise", ENTERPRISE, "ENTERPRISE"),
        ("enterprise-change", ENTERPRISE, "ENTERPRISE_CHANGE"),
    ],
)
def test_a_read_answers_the_kind_of_the_last_submission_on_every_replica(
    kept: Build,
    sandbox: SandboxDriver,
    form: str,
    body: dict[str, object],
    kind: str,
    state: str,
) -> None:
    app, customer = kept(state, "review"), new_customer()
    assert "kind" not in read(app, customer).get_json()
    assert submit(app, customer, body=body, form=form).status_code == 202
    other = kept(state, "review", "another replica") if state == "redis" else app
    assert read(other, customer).get_json()["kind"] == kind
    sandbox.review(customer, "rejected")
    rejected = read(other, customer).get_json()
    assert (rejected["status"], rejected["kind"]) == ("REJECTED", kind)


def test_a_customer_without_a_submission_has_no_kind(kept: Build, sandbox: SandboxDriver) -> None:
    app, customer = kept("memory", "legacy"), new_customer()
    sandbox.review(customer, "passed")
    assert "kind" not in read(app, customer).get_json()


def test_a_refused_submission_leaves_no_kind(kept: Build, sandbox: SandboxDriver) -> None:
    app, customer = kept("memory", "review"), new_customer()
    sandbox.fault("individual", "status", status=400, body={"error_code": "CBC.5004"}, count=1)
    assert submit(app, customer).status_code == 409
    sandbox.review(customer, "passed")
    assert "kind" not in read(app, customer).get_json()
