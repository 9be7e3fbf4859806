"""What tests of lost creations expect and look at."""

from __future__ import annotations

from tests.support.sandbox_driver import SandboxDriver

CREATE = "create_customer"
DONE = (201, "ASSOCIATED", False)
FOUND = (201, "ASSOCIATED", True)
UNKNOWN = (504, "OUTCOME_UNKNOWN", False)
# Seconds that a caller waits for an outcome that stays unknown. On a busy machine too, this is
# enough for a look, the creation, and looks 0.2 and 0.8 seconds after it.
WAIT = 3


def processed(sandbox: SandboxDriver, partner_user_id: str) -> list[bool]:
    """Whether Huawei processed each request to create this customer."""
    sought = f'"xaccount_id":"{partner_user_id}"'
    return [one["processed"] for one in sandbox.requests(CREATE) if sought in one["body"]]


def associate(sandbox: SandboxDriver, partner_user_id: str) -> str:
    """Let Huawei associate the customer that it has created. Returns its id."""
    (found,) = (
        customer_id
        for customer_id, customer in sandbox.state()["customers"].items()
        if customer["account"]["xaccount_id"] == partner_user_id
    )
    sandbox.customer(found)
    return str(found)
