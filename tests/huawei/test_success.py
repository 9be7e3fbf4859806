"""An operation succeeds only by Huawei's declared success, and by nothing else under HTTP 200."""

from __future__ import annotations

import importlib
import itertools
import json
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as search
from hypothesis import strategies as st

import app
from app import create_app
from app.huawei.answer import Answer
from app.huawei.operation import ByNothing, Operation
from app.huawei.transport import Reply
from app.settings import Settings
from tests.support.declared_reads import INFO, ROWS
from tests.support.gateway import altered, code, submit
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.verifications import FORMS, configured, read
from tests.support.verifications import submit as submit_form


def _operations() -> dict[str, Operation]:
    """Every operation that a module of the gateway declares."""
    found: dict[str, Operation] = {}
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if ".sandbox" in module.name or module.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            several = value.values() if isinstance(value, dict) else [value]
            found |= {one.name: one for one in several if isinstance(one, Operation)}
    return found


OPERATIONS = _operations()

# Huawei's declared success, by operation: en-us_topic_0076214635, mc_00017 to mc_00020.
_APPLIED: list[dict[str, Any]] = [
    {"is_review": 0},
    {"is_review": 1},
    {"is_review": "1"},
    {"is_review": 1, "error_code": None, "error_msg": None},
    {"is_review": 1, "error_code": "CBC.0000", "error_msg": "success"},
    {"is_review": 1, "what_is_new": {}},
]
_RESULT: list[dict[str, Any]] = [
    {},
    {"review_result": None, "opinion": None},
    {"review_result": 2},
    {"review_result": "2", "opinion": None},
    {"review_result": 1, "opinion": "Blurred.", "what_is_new": 1},
]
DECLARED: dict[str, list[dict[str, Any]]] = {
    "verified_info": [
        {"error_code": "CBC.0000"},
        {"error_code": "CBC.0000", "error_msg": "success", "error_details": []},
    ],
    "apply_individual": _APPLIED,
    "apply_enterprise": _APPLIED,
    "change_to_enterprise": _APPLIED,
    "read_result": _RESULT,
    "probe": _RESULT,
    "find_customer": [{"customer_infos": []}, {"count": 1, "customer_infos": [INFO]}],
    "list_associated": [{"count": 0, "customer_infos": []}],
    "watch_budgets": [{"budget_infos": []}],
    "watch_credit": [{"consumption_quota": "1", "used_consumption_quota": "-1"}],
    "list_statuses": [
        {"count": 0, "customer_infos": []},
        {"count": 1, "customer_infos": [{"customer_id": "c", "verified_status": "0"}]},
    ],
    "check_user_identity": [
        {"error_code": "CBC.0000", "check_result": "available"},
        {"check_result": "used_by_user", "mobile_remain_available_num": 5},
    ],
    "create_customer": [
        {"domain_id": "c-1", "domain_name": "shop_981"},
        {"domain_id": "c-1", "error_code": "CBC.0000", "error_msg": "success"},
    ],
    **{row.operation: [row.huaweis] for row in ROWS},
}
# Operations that answer nothing (mc_00024, mc_00027, mc_00028, mt_01005).
EMPTY = {"send_verification_code", "set_budget", "freeze_customer", "unfreeze_customer"}
# Answers that are a success of no operation, with the code for a legacy submission.
UNDECLARED: list[tuple[Any, str]] = [
    ({"code": "CBC.5002"}, "CUSTOMER_NOT_FOUND"),
    ({"success": False}, "OUTCOME_UNKNOWN"),
    ({"success": True}, "OUTCOME_UNKNOWN"),
    ({"error_msg": "failure"}, "OUTCOME_UNKNOWN"),
    ({"error_code": None, "error_msg": "failure"}, "OUTCOME_UNKNOWN"),
    ({"error_code": "", "error_msg": "failure"}, "OUTCOME_UNKNOWN"),
    ({"error": "invalid_request"}, "OUTCOME_UNKNOWN"),
    ({"error": {"message": "no"}}, "UPSTREAM_UNMAPPED"),
    ({"message": "The service is under maintenance."}, "OUTCOME_UNKNOWN"),
    ({"status": 200, "data": {}}, "OUTCOME_UNKNOWN"),
    ({"result": "CBC.0000"}, "OUTCOME_UNKNOWN"),
    ({"error_code": "CBC.5002"}, "CUSTOMER_NOT_FOUND"),
    ({"error_code": "cbc.0000"}, "UPSTREAM_UNMAPPED"),
    ({"error_code": 5002}, "UPSTREAM_UNMAPPED"),
    ({"error_code": ["CBC.0000"]}, "UPSTREAM_UNMAPPED"),
    (
        {"error_code": "CBC.0000", "error_details": [{"error_code": "CBC.5004", "id": "c"}]},
        "CUSTOMER_NOT_ASSOCIATED",
    ),
    ({"error_details": [{"error_code": "CBC.5004", "error_msg": "x", "id": "c"}]},
     "CUSTOMER_NOT_ASSOCIATED"),
    ({"error_details": [{"id": "c"}]}, "UPSTREAM_UNMAPPED"),
    ({"error_details": {"error_code": "CBC.0000"}}, "UPSTREAM_UNMAPPED"),
    ({"errorItems": ["c"]}, "UPSTREAM_UNMAPPED"),
    ([{"error_code": "CBC.0000"}], "OUTCOME_UNKNOWN"),
    ("CBC.0000", "OUTCOME_UNKNOWN"),
    (True, "OUTCOME_UNKNOWN"),
    (None, "OUTCOME_UNKNOWN"),
]  # fmt: skip


def succeeds(operation: Operation, body: Any, status: int = 200) -> bool:
    """Whether an answer with this JSON is the operation's success."""
    return Answer.of(operation, Reply(status, {}, json.dumps(body).encode())).failure is None


def test_every_operation_declares_its_success() -> None:
    assert OPERATIONS.keys() == DECLARED.keys() | EMPTY


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_succeeds_as_declared_and_in_no_other_way(
    name: str, subtests: pytest.Subtests
) -> None:
    operation = OPERATIONS[name]
    if name in EMPTY:
        assert Answer.of(operation, Reply(204, {}, b"")).failure is None
    for body in DECLARED.get(name, ()):
        with subtests.test(json.dumps(body)):
            assert succeeds(operation, body)
            assert not succeeds(operation, {**body, "error_code": "CBC.5002"})
            assert not succeeds(operation, {**body, "error_details": [{"error_code": "CBC.5002"}]})
            assert not succeeds(operation, body, 500)
    for body, _ in UNDECLARED:
        with subtests.test(json.dumps(body)):
            assert not succeeds(operation, body)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_code_of_an_error_is_success_only_where_declared_and_with_the_declared_fields(
    name: str, subtests: pytest.Subtests
) -> None:
    operation = OPERATIONS[name]
    assert operation.effective == ({"CBC.99000050"} if name == "create_customer" else frozenset())
    late = {"error_code": "CBC.99000050", "error_msg": "The association result timed out."}
    for body, status in itertools.product(DECLARED.get(name, [{}]), (200, 400, 500)):
        with subtests.test(json.dumps(body), status=status):
            assert succeeds(operation, body | late, status) == bool(operation.effective)
            assert not succeeds(operation, late, status)
            assert not succeeds(operation, body | late | {"error_code": "CBC.0999"}, status)


@pytest.mark.parametrize(("body", "expected"), UNDECLARED, ids=lambda value: json.dumps(value)[:40])
def test_a_legacy_submission_is_verified_by_the_code_of_success_only(
    settings: Settings, body: Any, expected: str
) -> None:
    with RawUpstream(answer(200, json.dumps(body))) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        response = submit(client)
    assert code(response) == expected
    assert response.status_code >= 400


Anything = tuple[RawUpstream, FlaskClient, FlaskClient]


@pytest.fixture(scope="module")
def anything(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[RawUpstream, FlaskClient, FlaskClient]]:
    """An upstream with configurable answers, behind a legacy and a review gateway."""
    with RawUpstream() as upstream:
        legacy, review = (
            create_app(
                configured(tmp_path_factory.mktemp("gateway"), upstream.url, backend=backend)
            ).test_client()
            for backend in ("legacy", "review")
        )
        yield upstream, legacy, review


_NAMES = st.sampled_from(
    ["error_code", "error_msg", "code", "error", "error_details", "is_review", "review_result",
     "opinion", "success", "message"]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(["", "0", "1", "2", "success",
     "CBC.0000", "CBC.5002", "CBC.0999"]) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=2),
    max_leaves=6,
)  # fmt: skip


@search(max_examples=60)
@given(body=st.dictionaries(_NAMES | st.text(max_size=8), _VALUES, max_size=5) | _VALUES)
def test_a_200_with_any_json_but_the_declared_success_verifies_nobody(
    anything: Anything, body: Any
) -> None:
    upstream, legacy, review = anything
    upstream.reply = answer(200, json.dumps(body))
    said = body if isinstance(body, dict) else {}
    if submit(legacy).status_code < 300:
        assert said["error_code"] == "CBC.0000"
        assert not said.get("error_details")
    response = read(review)
    if response.status_code == 200 and response.get_json()["status"] == "VERIFIED":
        assert said["review_result"] in (2, "2")
        assert said.get("error_code") in (None, "", 0, "CBC.0000")
    for form in FORMS:
        response = submit_form(review, form, wait=1)
        if response.status_code < 300:
            assert said["is_review"] in (0, 1, "0", "1")
            assert said.get("error_code") in (None, "", 0, "CBC.0000")


@pytest.mark.parametrize(
    ("status", "content", "success"),
    [
        (200, b"", True),
        (204, b"", True),
        (200, b" \r\n", True),
        (202, b"", False),
        (200, b"{}", False),
        (200, b"<html>", False),
        (200, b'{"error_code":"CBC.5002"}', False),
    ],
)
def test_an_operation_without_an_answer_succeeds_with_an_empty_200_or_204(
    status: int, content: bytes, success: bool
) -> None:
    operation = Operation(name="x", method="PUT", path="/x", writes=True, success=ByNothing())
    failure = Answer.of(operation, Reply(status, {}, content)).failure
    assert (failure is None) == success
