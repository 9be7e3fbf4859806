"""Files that are not bills, and refusals of OBS: a problem before the first line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from app import create_app
from app.errors import ErrorCode
from tests.support.bills import HEADER, BillReader, archive, bill_settings, csv_file, packed, rows
from tests.support.gateway import check_problem
from tests.support.sandbox_driver import SandboxDriver


@pytest.mark.parametrize(
    ("content", "reason", "retry"),
    [
        (b"", "truncated", "AFTER_DELAY"),
        (b"<html>maintenance</html>", "damaged", "CONTACT_OPERATOR"),
        (gzip.compress(b"no tar" * 200), "damaged", "CONTACT_OPERATOR"),
        (gzip.compress(archive()), "no member", "CONTACT_OPERATOR"),
        (packed(b""), "no header row", "CONTACT_OPERATOR"),
        (packed(csv_file([["Name", "Sum"], ["a", "1"]])), "bills.columns", "CONTACT_OPERATOR"),
        (packed(csv_file([HEADER, *rows(1, 客户ID="a b")])), "malformed cust", "CONTACT_OPERATOR"),
        (packed(csv_file([HEADER, *rows(1, 客户ID="\t'1")])), "malformed cust", "CONTACT_OPERATOR"),
        (packed(csv_file([["Customer ID", "客户ID"]])), "more than one", "CONTACT_OPERATOR"),
        (packed(csv_file([HEADER], "gb18030")), "bills.encoding", "CONTACT_OPERATOR"),
        (packed(csv_file([HEADER], "utf-16")), "bills.encoding", "CONTACT_OPERATOR"),
    ],
    ids=[
        *("empty", "a page", "no archive", "no member", "no header row", "other columns"),
        *("no id", "a quoted id", "two customers", "gb18030", "utf-16"),
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


def test_a_configured_column_beside_a_known_one_of_the_customers_is_refused(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    content = packed(csv_file([["Customer ID", "Account"], ["cust-1", "cust-2"]]))
    columns = {"Account": "customer_id"}
    for known, told in (({}, None), ({"Customer ID": "payer"}, {"payer": "cust-1"})):
        settings = bill_settings(tmp_path, sandbox.url, columns=columns | known)
        reader = BillReader(create_app(settings).test_client(), sandbox)
        reader.put(content)
        if told is None:
            check_problem(reader.get(), ErrorCode.UPSTREAM_MALFORMED)
        else:
            assert reader.lines("?customer_id=cust-2") == [told | {"customer_id": "cust-2"}]


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
