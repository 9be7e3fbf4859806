"""Declared reads: the request to Huawei, the answer to the caller, and every other answer."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from app.errors import ErrorCode
from tests.support.declared_reads import ROWS, answers, get
from tests.support.declared_row import Row
from tests.support.gateway import check_problem, code
from tests.support.sandbox_driver import SandboxDriver

ids = [row.path.split("?")[0] for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_a_declared_read_asks_and_answers_as_declared(
    reads: FlaskClient, sandbox: SandboxDriver, row: Row
) -> None:
    answers(sandbox, row, row.huaweis | {"what_is_new": {}})
    answer = get(reads, row.path)
    assert (answer.status_code, answer.json) == (200, row.ours)
    sent = sandbox.requests()[-1]
    assert sent["target"] == row.target
    assert (json.loads(sent["body"]) if sent["body"] else None) == row.body


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_an_answer_without_a_declared_field_is_malformed(
    reads: FlaskClient, sandbox: SandboxDriver, row: Row, subtests: pytest.Subtests
) -> None:
    for name in row.huaweis:
        for body in ({**row.huaweis, name: None}, {**row.huaweis, name: [{}]}):
            with subtests.test(name):
                answers(sandbox, row, body)
                assert code(get(reads, row.path)) == "UPSTREAM_MALFORMED"


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_a_refusal_of_a_read_becomes_its_problem(
    reads: FlaskClient, sandbox: SandboxDriver, row: Row
) -> None:
    sandbox.fault(row.operation, "code", code="CBC.5004")
    assert code(get(reads, row.path)) == "CUSTOMER_NOT_ASSOCIATED"


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_a_caller_without_the_scope_cannot_read(
    reads: FlaskClient, sandbox: SandboxDriver, row: Row
) -> None:
    check_problem(get(reads, row.path, "writer-key"), ErrorCode.FORBIDDEN)
    assert sandbox.requests() == []


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_a_caller_limited_to_some_customers_reads_only_what_names_one_of_them(
    reads: FlaskClient, sandbox: SandboxDriver, row: Row
) -> None:
    answers(sandbox, row, row.huaweis)
    expected = 200 if "cust-1" in row.path or row.about_one else 403
    assert get(reads, row.path, "old-rotating-key").status_code == expected
    if "cust-1" in row.path:
        path = row.path.replace("cust-1", "other-1")
        assert get(reads, path, "old-rotating-key").status_code == 403
