"""Generates the table of magic customer ids by submitting each to a gateway on the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import requests
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from demo.local import KEY, configuration
from sandbox.codes import FAMILIES
from sandbox.server import SandboxServer

CALLER = {"Authorization": f"Bearer {KEY}"}
TIMEOUT = 10  # seconds
# The pictures are named and not uploaded.
SETTINGS = {"requests_per_second": None, "review_seconds": 0.2, "missing_attachment_code": None}
REVIEWS = ("cust-0001", "review-instant-1", "review-pass-1", "review-reject-1", "review-hold-1")
PERSON = {
    "full_name": "ZHANG SAN",
    "document": {"type": "PASSPORT", "number": "E1234567"},
    "partner_user_id": "shop-981",
}
PICTURES = {"attachments": ["data-page.jpg", "holding.jpg"]}


class Magic(NamedTuple):
    """The result of a customer id: of the submission, and of the review that may follow."""

    customer: str
    submitted: str
    later: str


class Trial:
    """A gateway on its own sandbox with short reviews."""

    def __init__(self, folder: Path, sandbox_url: str) -> None:
        self._sandbox_url = sandbox_url
        self._configuration = configuration(folder, sandbox_url)
        self._configuration["accounts"]["default"] |= {
            "quota": {"requests_per_second": 1000},
            "reliability": {"tries": 1, "breaker_failures": 1000},
            "watch": {"max_age": 0},  # each read asks the sandbox
        }

    def client(self) -> FlaskClient:
        """A client of a new gateway."""
        with requests.Session() as session:
            session.trust_env = False
            reset = session.post(f"{self._sandbox_url}/_sandbox/reset", timeout=TIMEOUT)
            reset.raise_for_status()
        return create_app(Settings.model_validate(self._configuration)).test_client()

    def submit(self, client: FlaskClient, customer: str, **more: Any) -> str:
        """The HTTP status and the status or code of the answer to a submission."""
        path = f"/v1/customers/{customer}/verifications/individual"
        answer = client.post(path, json=PERSON | more, headers=CALLER | {"Prefer": "wait=2"})
        document = answer.get_json()
        return f"{answer.status_code} {document.get('code') or document['status']}"

    def read(self, client: FlaskClient, customer: str) -> str:
        """The status of a customer's verification after its review."""
        path = f"/v1/customers/{customer}/verification"
        answer = client.get(path, headers=CALLER | {"Prefer": "wait=3"})
        status: str = answer.get_json()["status"]
        return status

    def changed(self, client: FlaskClient) -> bool:
        """Whether the last submission changed the gateway: key pair suspended or legacy retired."""
        if self.submit(client, REVIEWS[0]) != "201 VERIFIED":
            return True
        accounts = client.get("/v1/accounts", headers=CALLER).get_json()["accounts"]
        (account,) = [one for one in accounts if one["account"] == "default"]
        return [pair["condition"] for pair in account["key_pairs"]] != ["PROVEN"]


def _reviews(trial: Trial) -> Iterator[Magic]:
    client = trial.client()
    for customer in REVIEWS:
        attachments = {} if customer == REVIEWS[0] else PICTURES
        submitted = trial.submit(client, customer, **attachments)
        later = trial.read(client, customer) if submitted.startswith("202") else ""
        yield Magic(customer, submitted, later)


def _refusals(trial: Trial) -> Iterator[Magic]:
    """One customer id for each error code that does not change the gateway."""
    found = set()
    client = trial.client()
    trial.submit(client, REVIEWS[0])
    for family, numbers in FAMILIES.items():
        for number in numbers:
            customer = f"code-{family}-{number}"
            submitted = trial.submit(client, customer)
            if trial.changed(client):
                client = trial.client()
                trial.submit(client, REVIEWS[0])
            elif submitted not in found and not submitted.startswith("2"):
                found.add(submitted)
                yield Magic(customer, submitted, "")


def observed() -> list[Magic]:
    """Every row of the table, as the gateway answered."""
    with TemporaryDirectory() as folder, SandboxServer(settings=SETTINGS) as server:
        trial = Trial(Path(folder), server.url)
        return [*_reviews(trial), *_refusals(trial)]


def table() -> str:
    """A row for each customer id."""
    rows = ["| customer id | a submission answers | and after the review |", "|---|---|---|"]
    for magic in observed():
        with_pictures = magic.customer.startswith("review")
        also = ", with two attachments" if with_pictures else ""
        rows.append(f"| `{magic.customer}`{also} | {magic.submitted} | {magic.later} |")
    return "\n".join(rows)
