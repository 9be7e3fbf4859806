"""Clients generated from the contract, against the running gateway and sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest

from demo.local import KEY, Local
from tests.clients.languages import CLIENTS
from tests.support.bills import MONTH
from tests.support.pictures import upload_pictures
from tests.support.programs import needed
from tests.support.sandbox_driver import SandboxDriver

NAME, NUMBER = "Kanari Vogelsang", "KANARI4711"
PERSONAL = ("kanari", "vogelsang", "4711")
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
DRIVE_LIMIT = 60  # seconds

Outcome = dict[str, Any]
Drive = Callable[..., list[Outcome]]


def step(do: str, customer: str, number: str = NUMBER, **more: Any) -> dict[str, Any]:
    return {"do": do, "customer": customer, "full_name": NAME, "number": number, **more}


def hears(outcome: Outcome, **expected: Any) -> bool:
    """Whether the outcome has these members; a member that a client omits counts as None."""
    if outcome.get("no_headers"):  # a client that does not give them
        expected.pop("location", None)
        expected.pop("retry_after", None)
    if outcome.get("no_body"):  # a client that does not give the body of this refusal
        expected = {"http": expected["http"]}
    return {key: outcome.get(key) or None for key in expected} == expected


@pytest.fixture(scope="session", params=CLIENTS)
def drive(request: pytest.FixtureRequest) -> Drive:
    """Run steps with a generated client at a URL. Asserts that it prints nothing personal."""
    client = CLIENTS[request.param]
    for tool in client.tools:
        needed(tool)
    command = client.command()

    def driven(url: str, *steps: dict[str, Any]) -> list[Outcome]:
        done = subprocess.run(  # noqa: S603 - the driver that was just built
            [*command, url, KEY],
            input=json.dumps(steps),
            env={name: value for name, value in os.environ.items() if name[:8] != "SSL_CERT"},
            capture_output=True,
            timeout=DRIVE_LIMIT,
            text=True,
            check=False,
        )
        said = f"{done.stdout}{done.stderr}"
        assert done.returncode == 0, said
        assert not [value for value in PERSONAL if value in said.lower()], said
        outcomes = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(outcomes) == len(steps)
        return outcomes

    return driven


def test_a_generated_client_handles_success_review_rejection_and_refusals(
    drive: Drive, served: Local
) -> None:
    own = uuid4().hex[:8]
    for customer in (f"review-instant-{own}", f"review-hold-{own}", f"review-reject-{own}"):
        upload_pictures(served, customer)
    success, review, submitted, rejection, check, again, wrong, throttled = drive(
        served.url,
        step("submit", f"review-instant-{own}"),
        step("submit", f"review-hold-{own}"),
        step("submit", f"review-reject-{own}"),
        step("read", f"review-reject-{own}"),
        step("check", f"check-{own}"),
        step("submit", f"review-hold-{own}"),
        step("submit", f"wrong-{own}", number=f"{NUMBER} !"),
        step("submit", "code-APIGW-0308"),
    )
    assert hears(success, http=201, status="VERIFIED", final=True, code=None)
    where = f"/v1/customers/review-hold-{own}/verification"
    assert hears(review, http=202, status="IN_REVIEW", location=where, retry_after="30")
    assert hears(submitted, http=202, status="IN_REVIEW")
    assert hears(rejection, http=200, status="REJECTED", final=True)
    assert "blurred" in rejection["reason"]
    assert hears(check, http=200, status="CHECKED", accepted=True)
    assert sorted(check["takers"]) == ["legacy", "review"]
    assert {outcome["year"] for outcome in (success, review, rejection, check)} < {
        *range(2020, 2100)
    }
    conflict = "ALREADY_VERIFIED_OR_IN_REVIEW"
    assert hears(again, http=409, code=conflict, retry="NEVER", fault="CALLER", status=None)
    broken = {"code": "VALIDATION_FAILED", "pointers": ["/document/number"]}
    assert hears(wrong, http=422, retry="AFTER_FIX", fault="CALLER", **broken)
    busy = {"code": "UPSTREAM_THROTTLED", "upstream_code": "APIGW.0308", "fault": "UPSTREAM"}
    assert hears(throttled, http=503, retry="AFTER_DELAY", retry_after="3", retry_after_s=3, **busy)


# The generator's `native` library for Java sends the name of a file instead of its content.
@pytest.mark.parametrize(
    "drive", [name for name in CLIENTS if name != "openapi-generator java"], indirect=True
)
def test_a_generated_client_uploads_an_attachment(drive: Drive, served: Local) -> None:
    customer = f"upload-{uuid4().hex[:8]}"
    stored, refused = drive(
        served.url,
        step("upload", customer, name="page.jpg", content=PICTURE.hex()),
        step("upload", customer, name="page.png", content=PICTURE.hex()),
    )
    assert hears(stored, http=201, attachment=f"{customer}/page.jpg")
    assert hears(refused, http=422, code="ATTACHMENT_FORMAT", attachment=None)
    (kept,) = (one for one in SandboxDriver(served.sandbox_url).objects() if customer in one["key"])
    assert kept["sha256"] == sha256(PICTURE).hexdigest()


def test_a_generated_client_onboards_a_customer(drive: Drive, served: Local) -> None:
    own = f"shop-{uuid4().hex[:8]}"
    onboarded, taken = drive(
        served.url,
        step("onboard", own, key=f"{own}-create"),
        step("onboard", own, key=f"{own}-another"),
    )
    needs = ["BUDGET", "UNFREEZE", "VERIFICATION"]  # then the budget, the rest, the freeze
    said = ["ASSOCIATING", needs, "500.00", ["VERIFICATION"], True]
    assert hears(onboarded, http=202, said=said)
    refusal = {"code": "PARTNER_USER_ID_TAKEN", "retry": "AFTER_FIX", "fault": "CALLER"}
    assert hears(taken, http=409, said=None, **refusal)


# Not every client streams an answer, see docs/quickstart.md. openapi-generator's `java`, `kotlin`,
# `php` and `ruby` store it in a file; its `go` and openapi-python-client also hold it in memory.
def test_a_generated_client_reads_a_page_of_orders_and_the_lines_of_a_bill(
    drive: Drive, served: Local
) -> None:
    own, sandbox = uuid4().hex[:8], SandboxDriver(served.sandbox_url)
    for number in range(3):
        sandbox.order(f"{own}-{number}", customer_id=f"cust-{own}")
    sandbox.bill_file(MONTH, lines=9000, customers=3)
    page, bill, absent = drive(
        served.url,
        step("orders", f"cust-{own}"),
        step("lines", "cust-1", month=MONTH),
        step("lines", "cust-1", month="2025-01"),
    )
    assert hears(page, http=200, orders=[f"{own}-0", f"{own}-1"], total=3)
    assert page["next"]
    assert hears(bill, http=200, count=3001)
    assert json.loads(bill["first"])["list_amount"] == "0.00015838"
    assert json.loads(bill["last"]) == {"complete": True, "lines": 3000}
    assert hears(absent, http=404, code="BILL_NOT_READY", retry="CONTACT_OPERATOR", count=None)


class Tomorrow(BaseHTTPRequestHandler):
    """A gateway of a later version: new enum values, new fields, a new status."""

    protocol_version = "HTTP/1.1"

    def _answer(self, status: int, media_type: str, document: dict[str, Any]) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        verification = {
            "customer_id": "customer",
            "kind": "TRUST",
            "status": "ON_HOLD",
            "final": False,
            "backend": "third",
            "checked_at": "2027-01-31T09:30:00Z",
            "rejection": {"reason": "later", "reviewer": {"team": 7}},
            "risk": {"level": "LOW", "since": None},
            "steps": ["one", 2],
        }
        self._answer(200, "application/json", verification)

    def do_POST(self) -> None:
        problem = {
            "type": "/v1/errors/MOON_IS_FULL",
            "title": "The moon is full",
            "status": 429,
            "detail": "The moon is full.",
            "code": "MOON_IS_FULL",
            "request_id": "5e1f2a77-2f0c-4d3c-9f0e-8c2a6f1f7a10",
            "retry": "AT_NEW_MOON",
            "fault": "MOON",
            "upstream": {"code": "CBC.1", "zone": "north"},
            "errors": [{"pointer": "/moon", "code": "FULL", "detail": "Is full.", "phase": 0.5}],
            "moon": {"phase": 0.5},
        }
        self._answer(429, "application/problem+json", problem)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log."""


@pytest.fixture(scope="module")
def tomorrow() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Tomorrow) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_unknown_enum_values_fields_and_statuses_do_not_break_a_generated_client(
    drive: Drive, tomorrow: str
) -> None:
    read, refused = drive(tomorrow, step("read", "customer"), step("submit", "customer"))
    assert hears(read, http=200, status="ON_HOLD", final=None, reason="later", year=2027)
    words = {"code": "MOON_IS_FULL", "retry": "AT_NEW_MOON", "fault": "MOON"}
    assert hears(refused, http=429, pointers=["/moon"], upstream_code="CBC.1", **words)


MISTAKES: list[dict[str, Any]] = [
    {"full_name": NAME},
    {"document": {"type": "PASSPORT", "number": NUMBER}},
    {"full_name": NAME, "document": {"number": NUMBER}},
    {"full_name": NAME, "document": {"type": "PASSPORT"}},
    {"full_name": NAME, "document": {"type": "PASSPORT", "number": 4711}},
    {"full_name": NAME, "document": {"type": "PASPORT", "number": NUMBER}},
    {"full_name": NAME, "document": NUMBER},
    {"full_name": [NAME], "document": {"type": "PASSPORT", "number": NUMBER}},
    {"full_name": NAME, "document": [NUMBER], "attachments": NAME},
]


@pytest.mark.parametrize("drive", [name for name in CLIENTS if "python" in name], indirect=True)
def test_a_generated_client_reports_a_malformed_body_without_its_values(drive: Drive) -> None:
    # Only the Python clients check a body at run time; the other clients check it at compile time.
    outcomes = drive("http://127.0.0.1:9", *[{"do": "mistake", "body": one} for one in MISTAKES])
    assert sum(len(outcome["texts"]) for outcome in outcomes) > len(MISTAKES)
