"""GET /v1/migration: how ready each caller is for the switch-off of the legacy call."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.support.gateway import bearer, code
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import (
    COMPANY_FORM,
    INDIVIDUAL,
    configured,
    documented,
    submit,
    without,
)
from tests.verification.conftest import hear_of_the_switch_off

Build = Callable[..., FlaskClient]
NO_PICTURES = without(INDIVIDUAL, "attachments")
UNSUPPORTED = {"pointer": "/document/type", "code": "DOCUMENT_TYPE_UNSUPPORTED"}
EVIDENCE = {"pointer": "/attachments", "code": "EVIDENCE_REQUIRED"}


@pytest.fixture
def gateway(tmp_path: Path, sandbox: SandboxDriver) -> Build:
    def build(**verification: Any) -> FlaskClient:
        return create_app(configured(tmp_path, sandbox.url, **verification)).test_client()

    return build


def migration(client: FlaskClient) -> dict[str, Any]:
    response = client.get("/v1/migration", headers=bearer("operator-key"))
    assert response.status_code == 200
    answer: dict[str, Any] = response.get_json()
    return answer


def account(client: FlaskClient, name: str = "default") -> dict[str, Any]:
    (found,) = [one for one in migration(client)["accounts"] if one["account"] == name]
    return dict(found)


@pytest.mark.parametrize("backend", ["legacy", "review", "auto"])
def test_migration_counts_nothing_before_the_first_submission(gateway: Build, backend: str) -> None:
    answer = migration(gateway(backend=backend))
    assert answer["callers"] == []
    accounts = {one["account"]: one for one in answer["accounts"]}
    assert set(accounts) == {"default", "second"}
    assert accounts["default"] == {
        "account": "default",
        "configured": backend,
        "backends": ["review", "legacy"] if backend == "auto" else [backend],
        "legacy_retired": False,
    }


def test_migration_counts_per_caller_why_submissions_cannot_go_to_review(gateway: Build) -> None:
    client = gateway(backend="auto")
    submit(client)
    submit(client, COMPANY_FORM, customer="cust-0002")
    for number in range(3):
        submit(client, body=NO_PICTURES, customer=f"cust-1{number}")
    submit(client, body=documented(NO_PICTURES, "ID_CARD"), customer="cust-0003")
    submit(client, body=NO_PICTURES, key="second-key")
    assert migration(client)["callers"] == [
        {
            "caller": "second",
            "submissions": 1,
            "ready_for_review": 0,
            "obstacles": [{**EVIDENCE, "submissions": 1}],
            "backends": [{"backend": "legacy", "submissions": 1}],
        },
        {
            "caller": "writer",
            "submissions": 6,
            "ready_for_review": 2,
            "obstacles": [{**EVIDENCE, "submissions": 4}, {**UNSUPPORTED, "submissions": 1}],
            "backends": [
                {"backend": "legacy", "submissions": 4},
                {"backend": "review", "submissions": 2},
            ],
        },
    ]


def test_migration_counts_refusals_by_huawei_but_not_invalid_or_validate_only_bodies(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    client = gateway(backend="legacy")
    submit(client, query="?validate_only=true")
    submit(client, body=without(INDIVIDUAL, "full_name"))
    submit(client, key="reader-key")
    assert migration(client)["callers"] == []  # validate_only, an invalid body and a missing scope
    submit(client, customer="code-CBC-5004")
    sandbox.fault("*", "reset", count=1)
    submit(client, wait=1)
    (counted,) = migration(client)["callers"]
    assert (counted["submissions"], counted["ready_for_review"]) == (2, 2)


def test_a_submission_that_no_backend_accepts_is_counted_with_its_obstacle(gateway: Build) -> None:
    client = gateway(backend="review")
    assert submit(client, body=NO_PICTURES).status_code == 422
    (counted,) = migration(client)["callers"]
    assert (counted["submissions"], counted["ready_for_review"]) == (1, 0)
    assert counted["obstacles"] == [{**EVIDENCE, "submissions": 1}]


def test_submissions_at_the_same_time_are_all_counted(gateway: Build) -> None:
    app = gateway(backend="legacy").application

    def one(number: int) -> None:
        body = NO_PICTURES if number % 3 else INDIVIDUAL
        submit(app.test_client(), body=body, customer=f"cust-{number}")

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(one, range(60)))
    (counted,) = migration(app.test_client())["callers"]
    assert (counted["submissions"], counted["ready_for_review"]) == (60, 20)
    assert counted["obstacles"] == [{**EVIDENCE, "submissions": 40}]
    assert counted["backends"] == [{"backend": "legacy", "submissions": 60}]


def test_migration_shows_the_time_of_the_switch_off_once_it_is_believed(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    client = gateway(backend="auto", review_share=0)
    sandbox.settings(legacy="retired")
    assert account(client)["legacy_retired"] is False
    before = datetime.now(UTC) - timedelta(seconds=1)
    submit(client)
    assert account(client)["legacy_retired"] is False
    hear_of_the_switch_off(client)
    shown = account(client)
    assert shown["legacy_retired"] is True
    since = datetime.fromisoformat(shown["legacy_retired_since"])
    assert before <= since <= datetime.now(UTC)
    assert shown["legacy_retired_since"].endswith("Z")
    assert shown["backends"] == ["review"]
    other = account(client, "second")
    assert (other["legacy_retired"], "legacy_retired_since" in other) == (False, False)


def test_a_submission_that_moved_to_review_is_counted_as_review(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    client = gateway(backend="auto", review_share=0)
    sandbox.settings(legacy="retired")
    assert submit(client).get_json()["backend"] == "review"
    (counted,) = migration(client)["callers"]
    assert counted["backends"] == [{"backend": "review", "submissions": 1}]


def test_migration_shows_nothing_personal(gateway: Build) -> None:
    client = gateway(backend="legacy")
    submit(client, body={**NO_PICTURES, "full_name": "Mustermann"})
    text = client.get("/v1/migration", headers=bearer("operator-key")).text
    assert not [value for value in ("Mustermann", "E1234567", "cust-0001") if value in text]


@pytest.mark.parametrize("key", ["writer-key", "reader-key", "nobody-key", "second-key"])
def test_only_operators_may_read_the_migration(gateway: Build, key: str) -> None:
    client = gateway(backend="auto")
    response = client.get("/v1/migration", headers=bearer(key))
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert code(client.get("/v1/migration")) == "UNAUTHENTICATED"
