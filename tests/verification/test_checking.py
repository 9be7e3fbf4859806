"""`validate_only`: the predicted result of a submission, which is not sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.gateway import CUSTOMER, code
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import (
    FORMS,
    INDIVIDUAL,
    Form,
    documented,
    fields_at_fault,
    parameters_at_fault,
    personal_values,
    submit,
    without,
)
from tests.verification.conftest import Build, hear_of_the_switch_off

CHECK = "?validate_only=true"
Errors = list[tuple[str, str]]
UNSUPPORTED = ("/document/type", "DOCUMENT_TYPE_UNSUPPORTED")
NO_PICTURES = ("/attachments", "EVIDENCE_REQUIRED")
NO_USER = ("/partner_user_id", "REQUIRED")

# body -> errors of legacy, errors of review
BODIES: list[tuple[dict[str, Any], Errors, Errors]] = [
    (INDIVIDUAL, [], []),
    (without(INDIVIDUAL, "attachments"), [], [NO_PICTURES]),
    (without(INDIVIDUAL, "partner_user_id"), [NO_USER], []),
    (documented(INDIVIDUAL, "ID_CARD"), [], [UNSUPPORTED]),
    (
        without(documented(INDIVIDUAL, "HK_MACAU_PERMIT"), "attachments"),
        [UNSUPPORTED],
        [NO_PICTURES],
    ),
    (
        without(documented(INDIVIDUAL, "HK_MACAU_PERMIT"), "attachments", "partner_user_id"),
        [UNSUPPORTED, NO_USER],
        [NO_PICTURES],
    ),
    ({**INDIVIDUAL, "full_name": "x" * 256}, [], [("/full_name", "LENGTH")]),
]


def errors_of(checked: dict[str, Any]) -> dict[str, Errors]:
    return {
        one["backend"]: sorted((error["pointer"], error["code"]) for error in one["errors"])
        for one in checked["backends"]
    }


@pytest.mark.parametrize("backend", ["legacy", "review", "auto"])
@pytest.mark.parametrize(("body", "legacy", "review"), BODIES)
def test_validate_only_reports_the_errors_of_both_backends(
    shared: Build,
    sandbox: SandboxDriver,
    backend: str,
    body: dict[str, Any],
    legacy: Errors,
    review: Errors,
) -> None:
    response = submit(shared(backend=backend), body=body, query=CHECK)
    checked = response.get_json()
    assert response.status_code == 200
    assert errors_of(checked) == {"legacy": legacy, "review": review}
    takers = [one["backend"] for one in checked["backends"] if one["accepted"]]
    assert takers == [name for name, found in errors_of(checked).items() if not found]
    assert checked["accepted"] is bool(takers if backend == "auto" else backend in takers)
    assert checked["backend"] in ({"legacy", "review"} if backend == "auto" else {backend})
    assert not [value for value in personal_values(body) if value in response.text]
    assert sandbox.requests() == []


@pytest.mark.parametrize("backend", ["legacy", "review", "auto"])
@pytest.mark.parametrize(("body", "_legacy", "_review"), BODIES)
def test_validate_only_predicts_the_backend_of_the_submission(
    shared: Build, backend: str, body: dict[str, Any], _legacy: Errors, _review: Errors
) -> None:
    client = shared(backend=backend)
    checked = submit(client, body=body, query=CHECK).get_json()
    response = submit(client, body=body)
    if checked["accepted"]:
        assert response.get_json()["backend"] == checked["backend"]
    else:
        assert response.status_code == 422
        assert fields_at_fault(response) == errors_of(checked)[checked["backend"]]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_kind_of_submission_supports_validate_only(
    shared: Build, sandbox: SandboxDriver, form: Form
) -> None:
    checked = submit(shared(backend="auto"), form, query=CHECK).get_json()
    assert (checked["customer_id"], checked["kind"]) == (CUSTOMER, form.kind)
    assert (checked["accepted"], checked["backend"]) == (True, "review")
    assert sandbox.requests() == []


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_validate_only_refuses_a_body_that_breaks_the_contract(
    shared: Build, sandbox: SandboxDriver, form: Form
) -> None:
    response = submit(shared(backend="auto"), form, {**form.body, "document": {}}, query=CHECK)
    assert (response.status_code, code(response)) == (422, "VALIDATION_FAILED")
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    "query", ["", "?", "?validate_only=false", "?validate_only=FALSE", "?validate_only=0"]
)
def test_validate_only_false_sends_the_submission(
    shared: Build, sandbox: SandboxDriver, query: str
) -> None:
    assert submit(shared(backend="review"), query=query).status_code == 202
    assert sandbox.processed("individual") == 1


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "1"])
def test_a_flag_is_true_false_1_or_0_in_any_case(
    shared: Build, sandbox: SandboxDriver, value: str
) -> None:
    response = submit(shared(backend="review"), query=f"?validate_only={value}")
    assert (response.status_code, response.get_json()["status"]) == (200, "CHECKED")
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    ("query", "error"),
    [
        *(
            (f"?validate_only={value}", ("validate_only", "WRONG_TYPE"))
            for value in ("", "2", "yes", "on", "true%20", "secret-value")
        ),
        ("?validate_only", ("validate_only", "WRONG_TYPE")),
        ("?validate-only=true", ("", "UNKNOWN_FIELD")),
        ("?Validate_only=true", ("", "UNKNOWN_FIELD")),
        ("?validate_only=true&dry_run=1", ("", "UNKNOWN_FIELD")),
        ("?secret-value=1", ("", "UNKNOWN_FIELD")),
    ],
)
def test_an_unknown_query_parameter_is_refused_and_nothing_is_sent(
    shared: Build, sandbox: SandboxDriver, query: str, error: tuple[str, str]
) -> None:
    response = submit(shared(backend="review"), query=query)
    assert (response.status_code, code(response)) == (422, "VALIDATION_FAILED")
    assert parameters_at_fault(response) == [error]
    assert "secret-value" not in response.text
    assert sandbox.requests() == []


@pytest.mark.parametrize("values", [("true", "false"), ("false", "true")])
def test_contradictory_values_of_validate_only_are_refused(
    shared: Build, sandbox: SandboxDriver, values: tuple[str, str]
) -> None:
    query = "?validate_only={}&validate_only={}".format(*values)
    response = submit(shared(backend="review"), query=query)
    assert parameters_at_fault(response) == [("validate_only", "REPEATED")]
    assert sandbox.requests() == []


def test_validate_only_needs_the_scope_of_the_submission(shared: Build) -> None:
    assert code(submit(shared(backend="review"), query=CHECK, key="reader-key")) == "FORBIDDEN"


def test_validate_only_on_auto_predicts_review_after_the_switch_off(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    client = gateway(backend="auto", review_share=0)
    sandbox.settings(legacy="retired")
    assert (
        submit(client, query=CHECK).get_json()["backend"] == "legacy"
    )  # no submission has met the switch-off yet
    hear_of_the_switch_off(client)
    sandbox.forget_requests()
    checked = submit(client, query=CHECK).get_json()
    assert (checked["accepted"], checked["backend"]) == (True, "review")
    body = without(INDIVIDUAL, "attachments")
    checked = submit(client, body=body, query=CHECK).get_json()
    assert (checked["accepted"], checked["backend"]) == (False, "review")
    assert sandbox.requests() == []
