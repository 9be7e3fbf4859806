"""IAM of the sandbox: agencies and temporary access keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.iam import AGENCY, TEMPORARY, Iam, changed
from tests.support.partner import V2, Partner
from tests.support.sandbox_driver import SandboxDriver


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (changed(AGENCY, "auth.identity.assume_role.agency_name", "OTHER"), 404),
        (changed(AGENCY, "auth.identity.assume_role.agency_name", None), 400),
        (changed(AGENCY, "auth.identity.assume_role.domain_name", None), 400),
        (changed(AGENCY, "auth.identity.assume_role.more", "x"), 400),
        (changed(AGENCY, "auth.identity.assume_role", "x"), 400),
        (changed(AGENCY, "auth.scope", {}), 400),
        (changed(AGENCY, "auth.scope", {"system": {}}), 400),
        (changed(AGENCY, "auth.scope", {"domain": "x"}), 400),
        (changed(AGENCY, "auth.scope", {"domain": {"name": "their-account"}}), 201),
    ],
)
def test_an_agency_is_found_by_the_platform_id(
    iam: Iam, document: dict[str, Any], status: int
) -> None:
    assert iam.ask(document, iam.token()).status_code == status


def test_a_temporary_key_of_an_agency_needs_a_token(iam: Iam) -> None:
    assert iam.ask(AGENCY).json()["error"]["code"] == 401
    assert iam.ask(AGENCY, "nonsense").json()["error_code"] == "IAM.0067"


def test_a_temporary_key_signs_with_its_security_token_until_it_expires(
    driver: SandboxDriver, iam: Iam, partner: Partner
) -> None:
    response = iam.temporary(TEMPORARY, iam.token())
    credential = response.json()["credential"]
    assert response.status_code == 201
    how: dict[str, Any] = {
        "access_key": credential["access"],
        "secret_key": credential["secret"],
        "query": [("customer_id", "c")],
    }
    assert partner.call("GET", f"{V2}/result", **how).status_code == 401
    how["headers"] = {"X-Security-Token": credential["securitytoken"]}
    assert partner.call("GET", f"{V2}/result", **how).status_code == 200
    assert driver.state()["access_keys"][credential["access"]]["temporary"]
    driver.clock(900)
    refused = partner.call("GET", f"{V2}/result", **how)
    assert refused.json()["error_msg"].endswith("signature expired")


def test_a_customers_temporary_key_is_refused_by_partner_calls(iam: Iam, partner: Partner) -> None:
    token = iam.ask(AGENCY, iam.token()).headers["X-Subject-Token"]
    credential = iam.temporary(TEMPORARY, token).json()["credential"]
    response = partner.call(
        "GET",
        f"{V2}/result",
        access_key=credential["access"],
        secret_key=credential["secret"],
        headers={"X-Security-Token": credential["securitytoken"]},
    )
    assert response.json()["error_code"] == "CBC.0151"


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"duration_seconds": 900}, 201),
        ({"duration_seconds": 86400}, 201),
        ({"duration_seconds": 899}, 400),
        ({"duration_seconds": 86401}, 400),
        ({"duration_seconds": "900"}, 400),
        ({"id": "x"}, 400),
        ("x", 400),
    ],
)
def test_the_lifetime_of_a_temporary_key_is_between_15_minutes_and_a_day(
    iam: Iam, wanted: Any, status: int
) -> None:
    document = changed(TEMPORARY, "auth.identity.token", wanted)
    assert iam.temporary(document, iam.token()).status_code == status


@pytest.mark.parametrize(
    "document",
    [
        changed(TEMPORARY, "auth.scope", {}),
        changed(TEMPORARY, "auth.identity.methods", ["assume_role"]),
        changed(TEMPORARY, "auth.identity.policy", {}),
    ],
)
def test_unsupported_requests_for_temporary_keys_are_refused(
    iam: Iam, document: dict[str, Any]
) -> None:
    assert iam.temporary(document, iam.token()).status_code == 400
