"""Generates the table of magic customer ids by submitting each to a gateway on the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from sandbox.codes import FAMILIES
from sandbox.server import SandboxServer
from tests.support.gateway import PERSON, bearer, configuration
from tests.support.sandbox_driver import SandboxDriver

# The pictures are named and not uploaded.
SETTINGS = {"requests_per_second": None, "review_seconds": 0.2, "missing_attachment_code": None}
REVIEWS = ("cust-0001", "review-instant-1", "review-pass-1", "review-reject-1", "review-hold-1")
PICTURES = {"attachments": ["data-page.jpg", "holding.jpg"]}


class Magic(NamedTuple):
    """The result of a customer id: of the submission, and of the review that may follow."""

    customer: str
    submitted: str
    later: str


class Trial:
    """A gateway on its own sandbox with short reviews."""

    def __init__(self, folder: Path, sandbox: SandboxDriver) -> None:
        self._sandbox = sandbox
        self._configuration = configuration(folder, sandbox.url)
        account = self._configuration["accounts"]["default"]
        account["verification"] = {"backend": "auto"}
        self._configuration["callers"]["writer"]["scopes"].append("operations:read")

    def client(self) -> FlaskClient:
        """A client of a new gateway."""
        self._sandbox.reset()
        return create_app(Settings.model_validate(self._configuration)).test_client()

    def submit(self, client: FlaskClient, customer: str, **more: Any) -> str:
        """The HTTP status and the status or code of the answer to a submission."""
        path = f"/v1/customers/{customer}/verifications/individual"
        answer = client.post(path, json=PERSON | more, headers=bearer() | {"Prefer": "wait=2"})
        document = answer.get_json()
        return f"{answer.status_code} {document.get('code') or document['status']}"

    def read(self, client: FlaskClient, customer: str) -> str:
        """The status of a customer's verification after its review."""
        headers = bearer() | {"Prefer": "wait=3"}
        answer = client.get(f"/v1/customers/{customer}/verification", headers=headers)
        status: str = answer.get_json()["status"]
        return status

    def changed(self, client: FlaskClient) -> bool:
        """Whether the last submission changed the gateway: key pair suspended or legacy retired."""
        if self.submit(client, REVIEWS[0]) != "201 VERIFIED":
            return True
        accounts = client.get("/v1/accounts", headers=bearer()).get_json()["accounts"]
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
        trial = Trial(Path(folder), SandboxDriver(server.url))
        return [*_reviews(trial), *_refusals(trial)]


def table() -> str:
    """A row for each customer id."""
    rows = ["| customer id | a submission answers | and after the review |", "|---|---|---|"]
    for magic in observed():
        with_pictures = magic.customer.startswith("review")
        also = ", with two attachments" if with_pictures else ""
        rows.append(f"| `{magic.customer}`{also} | {magic.submitted} | {magic.later} |")
    return "\n".join(rows)
