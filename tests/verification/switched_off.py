"""A gateway during the switch-off of the legacy call, on the test's clock."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.account import Account
from app.api.extensions import gateway as parts
from app.events.lease import Lease
from app.state import MemoryState, Sealing, State
from app.verification import Verifications
from app.verification.switch_off import PROBE_INTERVAL, SwitchOff
from app.writes import Writes
from tests.support.gateway import bearer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock
from tests.support.verifications import INDIVIDUAL, documented, submit, without
from tests.verification.conftest import hear_of_the_switch_off

NO_PICTURES = without(INDIVIDUAL, "attachments")
ID_CARD = documented(INDIVIDUAL, "ID_CARD")
ONLY_REVIEW = without(INDIVIDUAL, "partner_user_id")
LEGACY_ONLY = [NO_PICTURES, ID_CARD, without(ID_CARD, "attachments")]
SEALING = Sealing(b"k" * 32)
CHECK = "?validate_only=true"


def sent(sandbox: SandboxDriver) -> list[str]:
    """The submissions upstream since the last call of this function."""
    seen = [entry["operation"] for entry in sandbox.submissions()]
    sandbox.forget_requests()
    return seen


def on_clock(client: FlaskClient, clock: Clock, state: State | None = None) -> FlaskClient:
    """Give the default account of a gateway verifications that live by the test's clock."""
    with client.application.app_context():
        gateway = parts()
    kept = state or MemoryState(now=clock)
    account = gateway.accounts["default"]
    verifications = Verifications(
        "default",
        gateway.settings.accounts["default"],
        account.partner_center,
        Writes("default", kept, SEALING, now=clock),
        SwitchOff("default", kept, SEALING, now=clock),
        gateway.migration,
        account.reviews,
        Lease(kept, "watch"),
        gateway.draining,
    )
    replaced = replace(account, verifications=verifications)
    cast(dict[str, Account], gateway.accounts)["default"] = replaced
    return client


def believe(client: FlaskClient, sandbox: SandboxDriver) -> None:
    """Switch the legacy call off, and submit until the gateway believes it."""
    sandbox.settings(legacy="retired")
    hear_of_the_switch_off(client)
    sent(sandbox)


def prove(client: FlaskClient, sandbox: SandboxDriver, clock: Clock) -> None:
    """Switch the legacy call off, let the gateway believe it, and confirm it by a probe."""
    believe(client, sandbox)
    clock.pass_time(PROBE_INTERVAL)
    assert submit(client, customer="prove").status_code == 202
    assert sent(sandbox) == ["verified-info", "individual"]


def retired(client: FlaskClient) -> str | None:
    """The time of the switch-off in GET /v1/migration; None if legacy is served."""
    answer = client.get("/v1/migration", headers=bearer("operator-key")).get_json()
    (account,) = [one for one in answer["accounts"] if one["account"] == "default"]
    since: str | None = account.get("legacy_retired_since")
    assert account["legacy_retired"] is (since is not None)
    return since


def problem(response: TestResponse) -> tuple[int, str, str, str]:
    document = response.get_json()
    return response.status_code, document["code"], document["retry"], document["fault"]


RETIRED = (502, "LEGACY_API_RETIRED", "CONTACT_OPERATOR", "GATEWAY")
UNAVAILABLE = (503, "LEGACY_API_UNAVAILABLE", "AFTER_DELAY", "GATEWAY")
