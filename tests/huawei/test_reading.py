"""What an answer tells: its code, the meaning of its status without one, and its evidence."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from app.errors import ErrorCode, Upstream
from app.huawei import codes
from app.huawei.answer import Answer
from app.huawei.codes.table import FAMILIES, OTHER
from app.huawei.pacing.breaker import Evidence
from app.huawei.review_result import READ_RESULT
from app.huawei.transport import Reply
from app.verification.backends.legacy import PUSH

NESTED: dict[str, Any] = {"error": {"message": "no"}}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (NESTED, 299, OTHER),
        (NESTED, 300, None),
        ({"code": "some words"}, 299, None),
        ({"code": "some words"}, 300, OTHER),
        ({"code": "12345"}, 200, None),
        ({"code": "12345"}, 400, OTHER),
        ({"code": "CBC.0100"}, 200, "CBC.0100"),
        (
            {"error_details": [{"error_code": "CBC.0100"}, {"error_code": "CBC.5002"}]},
            200,
            "CBC.0100",
        ),
        ({"error_code": "CBC.0000", "errorItems": [{}, {"error_code": "CBC.5002"}]}, 200, OTHER),
        ({"error_code": 0, "errorCode": "CBC.0100"}, 200, "CBC.0100"),
        ({"error_code": 1}, 200, "1"),
        ({"error_code": -1}, 200, OTHER),
    ],
)
def test_the_code_of_an_answer_is_found_in_each_shape(
    body: dict[str, Any], status: int, code: str | None
) -> None:
    assert codes.error_code(body, status) == code


@pytest.mark.parametrize(
    ("status", "write", "read"),
    [
        (200, "OUTCOME_UNKNOWN", "UPSTREAM_MALFORMED"),
        (299, "OUTCOME_UNKNOWN", "UPSTREAM_MALFORMED"),
        (300, "UPSTREAM_MALFORMED", "UPSTREAM_MALFORMED"),
        (499, "UPSTREAM_MALFORMED", "UPSTREAM_MALFORMED"),
        (500, "OUTCOME_UNKNOWN", "UPSTREAM_ERROR"),
        (501, "OUTCOME_UNKNOWN", "UPSTREAM_ERROR"),
    ],
)
def test_without_a_code_the_status_tells_whether_a_server_accepted_the_write(
    status: int, write: str, read: str
) -> None:
    assert codes.meaning(PUSH, None, status, {}).name == write
    assert codes.meaning(PUSH, None, status, None).name == write
    assert codes.meaning(READ_RESULT, None, status, {}).name == read
    assert codes.meaning(READ_RESULT, None, status, None) is ErrorCode.UPSTREAM_MALFORMED


def test_no_family_of_codes_is_part_of_another() -> None:
    assert not [pair for pair in permutations(FAMILIES, 2) if pair[0].startswith(pair[1])]


@pytest.mark.parametrize(
    ("status", "evidence"),
    [
        (199, Evidence.DOUBTFUL),
        (200, Evidence.FAILED),
        (299, Evidence.FAILED),
        (300, Evidence.DOUBTFUL),
        (499, Evidence.DOUBTFUL),
        (500, Evidence.FAILED),
    ],
)
def test_a_failure_without_a_code_tells_of_huawei_by_its_status(
    status: int, evidence: Evidence
) -> None:
    assert Answer.of(READ_RESULT, Reply(status, {}, b"<html>")).evidence is evidence


@pytest.mark.parametrize("result", ["true", "1.0", "3", '"01"'])
def test_a_number_that_huawei_does_not_document_is_unreadable(result: str) -> None:
    reply = Reply(200, {}, b'{"review_result":%b}' % result.encode())
    failure = Answer.of(READ_RESULT, reply).failure
    assert failure is not None
    assert failure.code is ErrorCode.UPSTREAM_MALFORMED


def test_the_fields_of_an_answer_are_not_in_its_repr() -> None:
    shown = Answer(Upstream(), {"name": "ZHANG SAN"})
    assert "ZHANG SAN" not in repr(shown)
    assert "ZHANG SAN" not in str(shown)


def test_the_parts_of_a_path_are_not_in_the_repr_of_an_operation() -> None:
    assert "zhang" not in repr(PUSH.at(name="zhang"))
