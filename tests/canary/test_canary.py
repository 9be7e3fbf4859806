"""No personal value and no secret leaves the gateway, whatever is sent to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import create_app
from app.errors import ErrorCode
from app.settings import Settings
from tests.canary import drives, marked
from tests.canary.driver import Driver
from tests.canary.markers import Markers
from tests.canary.search import Allowance, report, seek
from tests.canary.server import LEAKS
from tests.canary.watched import Watched
from tests.support import issuer
from tests.support.collector import Collector
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.valkey import Valkey

LISTED = r"GET /v1/customers(/\{customer_id\})? 200"
CREATED = r"POST /v1/customers 20[12]|" + LISTED
TOLD = ("log", "audit", "answers")
ALLOWED = (
    Allowance("customer id", TOLD, "names the customer at Huawei; not personal by itself"),
    *(
        Allowance(
            marker,
            ("answers",),
            "for a caller with `customers:personal`",
            r"GET /v1/customers/\{customer_id\} 200",
        )
        for marker in ("name at Huawei", "e-mail at Huawei", "phone at Huawei")
    ),
    *(
        Allowance(marker, ("answers",), "the contract's fields of a customer", LISTED)
        for marker in ("account name at Huawei", "partner's id at Huawei")
    ),
    *(
        Allowance(marker, ("answers",), "the caller's own, of the new customer", CREATED)
        for marker in ("createCustomer/partner_user_id", "createCustomer/account_name")
    ),
    Allowance("request id", (*TOLD, "spans"), "the caller's own, to find the request by"),
    Allowance(
        "attachment's name",
        ("answers",),
        "the caller's own, in the value to put into `attachments`",
        r"PUT /v1/customers/\{customer_id\}/attachments/\{name\} 201",
    ),
    Allowance(
        "reviewer's remark",
        ("answers",),
        "why a verification was rejected",
        r"GET /v1/customers/\{customer_id\}/verification 200",
    ),
)
SINKS = {"answers", "audit", "command line", "environment", "files", "log", "metrics", "spans"} | {
    "state"
}
# The sink in which each deliberate leak must be found.
PLANTED = {(sink, f"planted: {sink}") for sink in LEAKS if sink != "stdout"} | {
    ("command line", "planted: process"),
    ("environment", "planted: process"),
    ("log", "planted: audit"),
    ("log", "planted: stdout"),
}


@pytest.mark.long
@pytest.mark.timeout(300)
def test_no_marker_of_a_secret_or_personal_value_leaves_the_gateway(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    markers = Markers()
    (tmp_path / "secrets").mkdir()
    secrets = marked.write_secrets(tmp_path / "secrets", markers)
    sandbox.access_keys(**marked.pairs(markers))
    keys = answer(200, issuer.published(), "Content-Type: application/json")
    with Collector() as collector, Valkey() as valkey, RawUpstream(keys) as jwks:
        configuration = marked.configuration(
            secrets,
            markers,
            sandbox=sandbox.url,
            state=valkey.url,
            jwks=f"{jwks.url}/openid/v1/jwks",
            collector=collector.url,
        )
        routes = create_app(Settings.model_validate(configuration)).url_map
        process = markers.mark("planted: process", "planted-{core}")
        with Watched(tmp_path, configuration, collector, valkey, process) as gateway:
            driver = Driver(gateway, sandbox, secrets, markers, routes)
            for drive in drives.WELL:
                drive(driver)
            gateway.read_state()
            gateway.read_processes()
            valkey.kill()
            for drive in drives.WITHOUT_STATE:
                drive(driver)
            gateway.read_metrics()
            assert gateway.end() == 0
        driver.learn()
        assert jwks.requests[0].headers["Authorization"].startswith("Bearer QANARY")
    assert driver.codes.keys() >= {code.name for code in ErrorCode}
    assert {sink for sink in SINKS if gateway.sinks.size(sink)} == SINKS
    findings = seek(gateway.sinks, markers, ALLOWED)
    found = {(finding.sink, finding.marker) for finding in findings}
    assert found >= PLANTED
    leaks = [one for one in findings if (one.sink, one.marker) not in PLANTED]
    assert not leaks, report(leaks)
