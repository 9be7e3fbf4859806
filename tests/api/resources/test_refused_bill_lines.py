"""Bill files that are no bills, and refusals of OBS: a problem before the first line."""

from __future__ import annotations

import gzip

import pytest

from app.errors import ErrorCode
from tests.support.bills import HEADER, BillReader, archive, csv_file, packed
from tests.support.gateway import check_problem


@pytest.mark.parametrize(
    ("content", "reason", "retry"),
    [
        (b"", "truncated", "AFTER_DELAY"),
        (b"<html>maintenance</html>", "damaged", "CONTACT_OPERATOR"),
        (gzip.compress(b"no tar" * 200), "damaged", "CONTACT_OPERATOR"),
        (gzip.compress(archive()), "no member", "CONTACT_OPERATOR"),
        (packed(b""), "no header row", "CONTACT_OPERATOR"),
        (packed(csv_file([["Name", "Sum"], ["a", "1"]])), "bills.columns", "CONTACT_OPERATOR"),
        (packed(csv_file([HEADER], "gb18030")), "bills.encoding", "CONTACT_OPERATOR"),
        (packed(csv_file([HEADER], "utf-16")), "bills.encoding", "CONTACT_OPERATOR"),
    ],
    ids=[
        *("empty", "a page", "no archive", "no member", "no header row", "other columns"),
        *("gb18030", "utf-16"),
    ],
)
def test_a_file_that_is_no_bill_from_its_beginning_is_a_problem(
    bills: BillReader, content: bytes, reason: str, retry: str
) -> None:
    bills.put(content)
    problem = check_problem(bills.get(), ErrorCode.UPSTREAM_MALFORMED)
    assert reason in problem["detail"]
    assert problem["retry"] == retry
    assert bills.get().status_code == 502  # the place of the first one is free


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("AccessDenied", 403, ErrorCode.UPSTREAM_ACCESS_DENIED),
        ("NoSuchBucket", 404, ErrorCode.PARTNER_NOT_ENABLED),
        ("SlowDown", 503, ErrorCode.UPSTREAM_THROTTLED),
        ("InternalError", 500, ErrorCode.UPSTREAM_ERROR),
    ],
)
def test_a_refusal_of_obs_is_a_problem(
    bills: BillReader, code: str, status: int, expected: ErrorCode
) -> None:
    body = f"<Error><Code>{code}</Code><Message>about my-secret</Message></Error>"
    bills.sandbox.fault("obs", "status", status=status, body=body)
    answer = bills.get()
    assert check_problem(answer, expected)["upstream"]["code"] == code
    assert "my-secret" not in answer.text


@pytest.mark.parametrize("fault", ["reset", "html", "empty"])
def test_obs_without_a_proper_answer_is_a_problem(bills: BillReader, fault: str) -> None:
    bills.put(packed(csv_file([HEADER])))
    bills.sandbox.fault("obs", fault)
    assert bills.get().status_code == 502
