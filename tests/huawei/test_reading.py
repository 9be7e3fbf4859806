"""Where the code of an answer is found, and what its status means without a code."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from app.errors import ErrorCode
from app.huawei import codes
from app.huawei.codes.table import FAMILIES, OTHER
from app.huawei.review_result import READ_RESULT
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
