"""The circuit to an account's bucket, separate from the circuit to Partner Center."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.breaker import PATIENCE
from app.settings import Settings
from demo.local import free_port
from tests.support.bills import HEADER, BillReader, bill_settings, csv_file, packed
from tests.support.gateway import altered, code
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import together, wait_until
from tests.support.verifications import configured, upload, with_bucket

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))
FAILURES = 3
INTERNAL_ERROR = "<Error><Code>InternalError</Code></Error>"


def quick(settings: Settings) -> Settings:
    """The settings with a circuit that opens soon and for a short time."""
    return altered(settings, reliability={"breaker_failures": FAILURES, "breaker_pause": 0.2})


def test_an_unreachable_bucket_opens_the_circuit_of_uploads_only(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    settings = with_bucket(
        configured(tmp_path, sandbox.url), tmp_path, endpoint=f"http://127.0.0.1:{free_port()}"
    )
    changed = altered(settings, reliability={"breaker_failures": 3, "breaker_pause": 60})
    client = create_app(changed).test_client()
    answers = [upload(client, "a.jpg", JPEG) for _ in range(5)]
    assert [code(one) for one in answers] == ["UPSTREAM_UNREACHABLE"] * 3 + ["CIRCUIT_OPEN"] * 2
    assert answers[-1].headers["Retry-After"] == "60"
    gateway = client.application.extensions["partner_gateway"]
    assert gateway.accounts["default"].partner_center.check().failure is None


def test_the_next_upload_after_the_pause_closes_the_circuit(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    client = create_app(quick(configured(tmp_path, sandbox.url))).test_client()
    sandbox.fault("obs", "html", status=502)
    wait_until(lambda: code(upload(client, "a.jpg", JPEG)) == "CIRCUIT_OPEN")
    sandbox.clear_faults()
    wait_until(lambda: upload(client, "a.jpg", JPEG).status_code == 201)


def test_the_next_download_after_the_pause_closes_the_circuit(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    client = create_app(quick(bill_settings(tmp_path, sandbox.url))).test_client()
    bills = BillReader(client, sandbox)
    bills.put(packed(csv_file([HEADER])))
    sandbox.fault("obs", "html", status=502)
    wait_until(lambda: code(bills.get()) == "CIRCUIT_OPEN")
    sandbox.clear_faults()
    wait_until(lambda: bills.get().status_code == 200)


@pytest.fixture
def client(tmp_path: Path, sandbox: SandboxDriver) -> FlaskClient:
    """A gateway whose circuit to the bucket opens soon and stays open."""
    settings = configured(tmp_path, sandbox.url)
    changed = altered(settings, reliability={"breaker_failures": FAILURES, "breaker_pause": 60})
    return create_app(changed).test_client()


def test_internal_errors_of_the_bucket_open_its_circuit_only_for_several_customers(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.fault("obs", "status", status=500, body=INTERNAL_ERROR)
    answers = [code(upload(client, "a.jpg", JPEG)) for _ in range(10)]
    assert set(answers) == {"UPSTREAM_ERROR"}
    answers = [code(upload(client, "a.jpg", JPEG, customer=f"c-{one}")) for one in range(9)]
    assert answers[-1] == "CIRCUIT_OPEN"


@pytest.mark.parametrize("status", [502, 503])
def test_a_failure_of_the_bucket_without_a_code_opens_its_circuit(
    client: FlaskClient, sandbox: SandboxDriver, status: int
) -> None:
    sandbox.fault("obs", "html", status=status)
    answers = [code(upload(client, "a.jpg", JPEG)) for _ in range(FAILURES + 1)]
    assert answers == [*["UPSTREAM_MALFORMED"] * FAILURES, "CIRCUIT_OPEN"]


class Broken:
    """The content of an upload whose connection breaks."""

    def read(self, size: int = -1, /) -> bytes:
        raise ConnectionResetError(size)


def test_uploads_that_callers_abort_leave_the_circuit_closed(client: FlaskClient) -> None:
    bucket = client.application.extensions["partner_gateway"].accounts["default"].bucket
    for _ in range(2 * FAILURES):
        with pytest.raises(GatewayError) as failed:
            bucket.store("cust-1/a.jpg", "image/jpeg", len(JPEG), Broken())
        assert failed.value.code is ErrorCode.BAD_REQUEST
    assert code(upload(client, "a.jpg", JPEG)) is None


class Slow:
    """The content of an upload whose caller sends it in longer than PATIENCE."""

    def __init__(self) -> None:
        self._left = JPEG

    def read(self, size: int = -1, /) -> bytes:
        content, self._left = self._left, b""
        if content:
            threading.Event().wait(PATIENCE)
        return content


@pytest.mark.long
def test_uploads_that_slow_callers_delay_to_their_deadline_leave_the_circuit_closed(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    bucket = client.application.extensions["partner_gateway"].accounts["default"].bucket
    sandbox.fault("obs", "hang")

    def store(number: int) -> ErrorCode:
        with pytest.raises(GatewayError) as failed:
            bucket.store(f"c-{number}/a.jpg", "image/jpeg", len(JPEG), Slow(), PATIENCE + 1)
        return failed.value.code

    assert set(together(2 * FAILURES, store)) == {ErrorCode.UPSTREAM_ERROR}
    sandbox.clear_faults()
    assert code(upload(client, "a.jpg", JPEG)) is None
