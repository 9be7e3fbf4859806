"""A partner's program that creates customers at the sandbox and gives them budgets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.support.partner import Partner
from tests.support.sandbox_driver import SandboxDriver

SUB_CUSTOMERS = "/v2/partners/sub-customers"
EMAIL = "li@example.com"
SEND_CODE = "/v2/bases/verificationcode/send"


def given(**fields: Any) -> dict[str, Any]:
    """The fields without those that are None."""
    return {name: value for name, value in fields.items() if value is not None}


class Onboarding:
    """The calls of the onboarding, each with a valid body unless a test changes it."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner
        self.url = partner.url
        self.ahead = timedelta()  # the sandbox's clock, from the machine's

    def post(self, path: str, **body: Any) -> requests.Response:
        """Post a body without the fields that are None."""
        return self._partner.call("POST", path, given(**body), at=self._now())

    def get(self, path: str, **query: Any) -> requests.Response:
        """Get an answer for a query."""
        return self._partner.call("GET", path, query=list(query.items()), at=self._now())

    def _now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def check(self, kind: str, value: Any) -> requests.Response:
        """Ask whether a value can be registered."""
        path = f"{SUB_CUSTOMERS}/users/check-identity"
        return self.post(path, search_type=kind, search_value=value)

    def send_code(self, *, stream: bool = False, **changes: Any) -> requests.Response:
        """Send a code; with `stream` the body of the answer is not read."""
        if stream:
            self._partner.session.stream = True
        body = {"receiver_type": 2, "email": EMAIL, "lang": "en-us", **changes}
        return self.post(SEND_CODE, **body)

    def create(self, **changes: Any) -> requests.Response:
        """Create a customer without an e-mail."""
        body = {"domain_area": "SG", "xaccount_id": "shop-1", "xaccount_type": "PARTNER01"}
        return self.post(SUB_CUSTOMERS, **body | changes)

    def given_code(self) -> dict[str, str]:
        """The e-mail and its last code."""
        mail = SandboxDriver(self.url).mails(EMAIL)[-1]
        return {"email": EMAIL, "verification_code": mail["code"]}

    def create_with_code(self, **changes: Any) -> requests.Response:
        """Create a customer with an e-mail and the code of its mail."""
        self.send_code()
        return self.create(**self.given_code(), **changes)

    def created(self, **changes: Any) -> str:
        """Create a customer and return its id."""
        return str(self.create(**changes).json()["domain_id"])

    def listed(self, **filters: Any) -> list[dict[str, Any]]:
        """The customers of the partner's list."""
        found: list[dict[str, Any]] = self.post(f"{SUB_CUSTOMERS}/query", **filters).json()[
            "customer_infos"
        ]
        return found

    def change(self, verb: str, *customer_ids: str, **changes: Any) -> requests.Response:
        """Freeze or unfreeze customers."""
        body = {"customer_ids": list(customer_ids), "reason": "Unpaid invoice", **changes}
        return self.post(f"{SUB_CUSTOMERS}/{verb}", **body)

    def set_budget(self, customer_id: str, **changes: Any) -> requests.Response:
        """Set a customer's budget."""
        body = {"customer_id": customer_id, "budget_amount": 500, **changes}
        return self.post(f"{SUB_CUSTOMERS}/budget", **body)

    def budget(self, customer_id: str) -> requests.Response:
        """Read a customer's budget."""
        return self.get(f"{SUB_CUSTOMERS}/budget", customer_id=customer_id)

    def records(self, customer_id: str, **query: Any) -> requests.Response:
        """Read the changes of a customer's budget."""
        return self.get(f"{SUB_CUSTOMERS}/budget/records", customer_id=customer_id, **query)


def code(response: requests.Response) -> tuple[int, Any]:
    """The status and the error code of an answer."""
    return response.status_code, response.json().get("error_code") if response.content else None


@pytest.fixture
def onboarding(driver: SandboxDriver, partner: Partner) -> Onboarding:
    """The calls of the onboarding; a customer is associated at once and there is no limit."""
    driver.settings(association_seconds=0, requests_per_second=None)
    return Onboarding(partner)
