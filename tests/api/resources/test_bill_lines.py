"""The lines of a bill: formats, filters, the caller's fence, and what is refused at the start."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from app.errors import ErrorCode
from tests.support.bills import (
    HEADER,
    LIMITED,
    MONTH,
    NAMES,
    NDJSON,
    PATH,
    BillReader,
    archive,
    bill_settings,
    csv_file,
    named,
    packed,
    rows,
)
from tests.support.gateway import bearer, check_problem
from tests.support.sandbox_driver import SandboxDriver


def test_the_lines_of_all_members_come_in_their_order_with_our_names(bills: BillReader) -> None:
    bills.put(packed(csv_file([HEADER, *rows(3)]), csv_file([HEADER, *rows(2)])))
    lines = bills.lines()
    assert [line["Remark"] for line in lines] == ["0", "1", "2", "0", "1"]
    assert lines[0] == {
        "customer_id": "cust-1",
        "product_id": "p",
        "billing_mode": "PAY_PER_USE",
        "list_amount": "0.00000001",
        "Remark": "0",
    }


def test_a_member_may_have_no_header_row_of_its_own(bills: BillReader) -> None:
    bills.put(packed(csv_file([HEADER, *rows(1)]), csv_file(rows(2))))
    assert len(bills.lines()) == 3


def test_csv_is_answered_with_our_header_row(bills: BillReader) -> None:
    bills.put(packed(csv_file([HEADER, *rows(1, Remark='a "b",\r\nc')])))
    answer = bills.get(Accept="text/csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    found = list(csv.reader(io.StringIO(answer.text, newline=""), strict=True))
    assert found == [NAMES, ["cust-1", "p", "PAY_PER_USE", "0.00000001", 'a "b",\r\nc']]


@pytest.mark.parametrize(
    ("accept", "status", "expected"),
    [
        ("*/*", 200, NDJSON),
        ("application/*", 200, NDJSON),
        ("text/*", 200, "text/csv"),
        ("text/csv;q=0.5, application/x-ndjson;q=0.1", 200, "text/csv"),
        ("application/x-ndjson, text/csv, application/problem+json", 200, NDJSON),
        ("application/json", 406, "application/problem+json"),
        ("application/x-ndjson;q=0, text/csv;q=0", 406, "application/problem+json"),
    ],
)
def test_accept_chooses_the_format(
    bills: BillReader, accept: str, status: int, expected: str
) -> None:
    bills.put(packed(csv_file([HEADER])))
    answer = bills.get(Accept=accept)
    assert (answer.status_code, answer.mimetype) == (status, expected)
    assert answer.text
    if status == 406:
        assert [one["method"] for one in bills.sandbox.requests("obs")] == ["PUT"]


def test_csv_is_refused_where_a_part_of_it_would_look_whole(bills: BillReader) -> None:
    environ = {"SERVER_PROTOCOL": "HTTP/1.0"}
    headers = bearer("reader-key") | {"Accept": "text/csv"}
    answer = bills.client.get(PATH, headers=headers, environ_overrides=environ)
    check_problem(answer, ErrorCode.NOT_ACCEPTABLE)


def test_a_filter_selects_the_lines_of_one_customer(bills: BillReader) -> None:
    bills.sandbox.bill_file(MONTH, lines=1000, customers=10)
    lines = bills.lines("?customer_id=cust-7")
    assert len(lines) == 100
    assert {line["customer_id"] for line in lines} == {"cust-7"}
    assert bills.lines("?customer_id=cust-70") == []


def test_a_caller_limited_to_some_customers_gets_only_their_lines(bills: BillReader) -> None:
    others = [rows(1, 客户ID=name)[0] for name in ("other-1", "cust-1", "other-cust-1", "")]
    bills.put(packed(csv_file([HEADER, *others])))
    assert [line["customer_id"] for line in bills.lines(key=LIMITED)] == ["cust-1"]
    assert bills.lines("?customer_id=cust-1", LIMITED) != []
    assert len(bills.lines()) == 4
    check_problem(bills.get("?customer_id=other-1", LIMITED), ErrorCode.FORBIDDEN)


@pytest.mark.parametrize("padded", ["\tcust-1", " cust-1 ", "cust-1\t", "\u3000cust-1\r\n"])
def test_white_space_around_a_customer_id_hides_no_line(bills: BillReader, padded: str) -> None:
    bills.put(packed(csv_file([HEADER, *rows(2, 客户ID=padded), *rows(1, 客户ID="other-1")])))
    for query, key in (("?customer_id=cust-1", "reader-key"), ("", LIMITED)):
        found = [(line["customer_id"], line["Remark"]) for line in bills.lines(query, key)]
        assert found == [("cust-1", "0"), ("cust-1", "1")]


@pytest.mark.parametrize("query", ["?customer_id=", "?customer_id=..", "?limit=1", "?customer=a"])
def test_a_wrong_query_is_refused(bills: BillReader, query: str) -> None:
    check_problem(bills.get(query), ErrorCode.VALIDATION_FAILED)
    assert bills.sandbox.requests() == []


@pytest.mark.parametrize("month", ["2999-12", "2026-13", "..", "202605"])
def test_a_text_that_is_no_past_month_is_refused(bills: BillReader, month: str) -> None:
    answer = bills.client.get(f"/v1/partner/bills/{month}/lines", headers=bearer("reader-key"))
    check_problem(answer, ErrorCode.VALIDATION_FAILED)
    assert bills.sandbox.requests() == []


def test_the_present_month_has_no_file_and_obs_is_not_asked(bills: BillReader) -> None:
    month = datetime.fromtimestamp(time.time(), UTC) + timedelta(hours=8)
    path = f"/v1/partner/bills/{month:%Y-%m}/lines"
    answer = bills.client.get(path, headers=bearer("reader-key"))
    problem = check_problem(answer, ErrorCode.BILL_NOT_READY)
    assert problem["retry_after_s"] > 4 * 86400
    assert bills.sandbox.requests() == []


def test_a_file_that_never_came_is_for_the_operator(bills: BillReader) -> None:
    problem = check_problem(bills.get(), ErrorCode.BILL_NOT_READY)
    assert problem["retry"] == "CONTACT_OPERATOR"
    assert "retry_after_s" not in problem
    assert "2026-06-05T04:00:00Z" in problem["detail"]


def test_head_tells_whether_there_is_a_bill(bills: BillReader) -> None:
    missing = bills.client.head(PATH, headers=bearer("reader-key"), buffered=True)
    bills.put(packed(csv_file([HEADER, *rows(1)])))
    for _ in range(3):  # each releases its place
        found = bills.client.head(PATH, headers=bearer("reader-key"), buffered=True)
    assert (missing.status_code, found.status_code, found.data) == (404, 200, b"")
    assert found.mimetype == NDJSON


def test_a_third_download_of_a_caller_is_refused_until_one_ends(bills: BillReader) -> None:
    bills.sandbox.bill_file(MONTH, lines=10)
    open_ones = [bills.get(buffered=False), bills.get(buffered=False)]
    problem = check_problem(bills.get(), ErrorCode.OVERLOADED)
    assert problem["retry_after_s"] == 5
    assert bills.get(key=LIMITED).status_code == 200  # another caller
    open_ones[0].close()
    assert len(bills.lines()) == 10
    open_ones[1].close()


def test_bill_files_can_have_a_bucket_columns_and_an_encoding_of_their_own(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    header = ["\ufeff客户 id", "付款金额", "付款金额"]
    settings = bill_settings(
        tmp_path, sandbox.url, encoding="gb18030", columns={"付款金额": "amount"}
    )
    bucket = settings.accounts["default"].attachments
    assert bucket is not None
    changed: Any = settings.model_dump(exclude_unset=True)
    account = changed["accounts"]["default"]
    account["bills"]["bucket"] = account.pop("attachments")
    reader = BillReader(create_app(type(settings).model_validate(changed)).test_client(), sandbox)
    reader.put(packed(csv_file([header, ["cust-1", "1.5", "张三€"]], "gb18030")))
    assert reader.lines() == [{"customer_id": "cust-1", "amount": "1.5", "amount_2": "张三€"}]


def test_an_account_without_a_bucket_has_no_bill_files(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    settings = bill_settings(tmp_path, sandbox.url)
    changed: Any = settings.model_dump(exclude_unset=True)
    del changed["accounts"]["default"]["attachments"]
    client = create_app(type(settings).model_validate(changed)).test_client()
    answer = client.get(PATH, headers=bearer("reader-key"))
    check_problem(answer, ErrorCode.PARTNER_NOT_ENABLED)


def test_a_column_named_like_the_last_line_cannot_be_mistaken_for_it(bills: BillReader) -> None:
    header = ["complete", "lines", "客户ID"]
    bills.put(packed(csv_file([header, ["true", "1", "cust-1"]])))
    answer = bills.get()
    line, last = map(json.loads, answer.text.splitlines())
    assert line == {"complete": "true", "lines": "1", "customer_id": "cust-1"}
    assert last == {"complete": True, "lines": 1}


@pytest.mark.parametrize(("mode", "word"), [("0", "YEARLY_MONTHLY"), ("9", "OTHER_9"), ("x", "x")])
def test_a_billing_mode_becomes_a_word(bills: BillReader, mode: str, word: str) -> None:
    bills.put(packed(csv_file([HEADER, *rows(1, 计费模式=mode)])))
    assert [line["billing_mode"] for line in bills.lines()] == [word]


def test_a_folder_and_extended_headers_in_the_archive_are_skipped(bills: BillReader) -> None:
    folder = tarfile.TarInfo("bills")
    folder.type = tarfile.DIRTYPE
    member = tarfile.TarInfo(f"bills/{named()}")
    member.pax_headers = {"comment": "made by hand"}
    bills.put(gzip.compress(archive((folder, b""), (member, csv_file([HEADER, *rows(2)])))))
    assert len(bills.lines()) == 2
