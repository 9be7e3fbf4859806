"""Bill files: archives of any content, and gateways that read them from the sandbox's bucket."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from tests.support.bucket import Bucket
from tests.support.gateway import altered, bearer, configuration
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import with_bucket

MONTH = "2026-05"
PATH = f"/v1/partner/bills/{MONTH}/lines"
HEADER = ["客户ID", "产品ID", "计费模式", "官网页面价", "Remark"]
NAMES = ["customer_id", "product_id", "billing_mode", "list_amount", "Remark"]
LIMITED = "old-rotating-key"  # of a caller for the customers `cust-.*`
NDJSON = "application/x-ndjson"


def csv_file(rows: Iterable[Sequence[str]], encoding: str = "utf-8") -> bytes:
    """The bytes of a CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


def named(number: int = 1, month: str = "202605") -> str:
    """The name of a member of the month's archive."""
    return f"customerBill_{month}_{number:04d}.csv"


def archive(*members: tuple[str | tarfile.TarInfo, bytes]) -> bytes:
    """A tar archive with these members, not packed."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        for name, content in members:
            member = tarfile.TarInfo(name) if isinstance(name, str) else name
            if member.isreg():
                member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return file.getvalue()


def packed(*members: bytes, month: str = "202605") -> bytes:
    """A bill file with these CSV files."""
    return gzip.compress(archive(*((named(n, month), one) for n, one in enumerate(members, 1))))


def bill_settings(folder: Path, sandbox_url: str, **bills: Any) -> Settings:
    """Settings whose reader may read bills of all customers, and `rotating` of `cust-.*`."""
    document = configuration(folder, sandbox_url)
    for name in ("reader", "rotating"):
        document["callers"][name]["scopes"] = ["billing:read"]
    document["callers"]["rotating"]["customers"] = "cust-.*"
    settings = with_bucket(Settings.model_validate(document), folder)
    return altered(settings, bills=bills)


def put(url: str, content: bytes, month: str = "202605") -> None:
    """Store a bill file in the sandbox's bucket."""
    with requests.Session() as session:
        session.trust_env = False
        answer = Bucket(url, session).put(f"customerBill/customerBill_{month}.tar.gz", content)
    assert answer.status_code == 200


class BillReader:
    """A gateway's client, and the bucket of its bills."""

    def __init__(self, client: FlaskClient, sandbox: SandboxDriver) -> None:
        self.client = client
        self.sandbox = sandbox

    def put(self, content: bytes) -> None:
        """Store the bill file of the month."""
        put(self.sandbox.url, content)

    def get(
        self, query: str = "", key: str = "reader-key", *, buffered: bool = True, **headers: str
    ) -> Any:
        """The answer to a request for the lines; not `buffered`, it must be closed."""
        return self.client.get(f"{PATH}{query}", headers=bearer(key) | headers, buffered=buffered)

    def lines(self, query: str = "", key: str = "reader-key") -> list[dict[str, Any]]:
        """The lines of a complete answer, without the last one."""
        answer = self.get(query, key)
        assert (answer.status_code, answer.mimetype) == (200, NDJSON)
        *lines, last = map(json.loads, answer.text.splitlines())
        assert last == {"complete": True, "lines": len(lines)}
        return lines


def rows(count: int, **changed: str) -> list[list[str]]:
    """Some records, whose columns are HEADER."""
    record = {"客户ID": "cust-1", "产品ID": "p", "计费模式": "1", "官网页面价": "0.00000001"}
    return [
        [(record | {"Remark": str(n)} | changed)[name] for name in HEADER] for n in range(count)
    ]


def objects(lines: Iterable[Sequence[str]], names: Sequence[str]) -> list[Mapping[str, str]]:
    """Records as objects."""
    return [dict(zip(names, line, strict=True)) for line in lines]


@pytest.fixture(scope="module")
def bills_client(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> FlaskClient:
    settings = bill_settings(tmp_path_factory.mktemp("bills"), sandbox_url)
    return create_app(settings).test_client()


@pytest.fixture
def bills(bills_client: FlaskClient, sandbox: SandboxDriver) -> BillReader:
    return BillReader(bills_client, sandbox)
