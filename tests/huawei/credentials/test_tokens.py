"""One IAM token for all requests: requested once, renewed early, dropped when refused."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.errors import ErrorCode
from app.huawei.codes import Verdict
from app.huawei.credentials.tokens import MARGIN, RETRY_INTERVAL, Tokens
from app.huawei.iam import SAFE_LIFE
from app.settings import Settings
from tests.support.accounts import (
    events,
    gateway,
    iam_tokens,
    partner_center,
    read,
    token_on_requests,
    tokens_issued,
)
from tests.support.gateway import code, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock, together, wait_until

LIFE = 86400  # seconds: the lifetime of tokens at Huawei and in the sandbox
DEATHS = ["expired", "decrypt", "APIGW.0307", "CBC.0154", "IAM.0066", "IAM.0067"]


@pytest.fixture
def client(token_settings: Settings) -> FlaskClient:
    return gateway(token_settings)


def submit_all(client: FlaskClient, number: int) -> list[int]:
    """The statuses of `number` concurrent writes, each for another customer."""
    return together(number, lambda place: submit(client, f"customer-{place}").status_code)


def test_sixty_concurrent_first_requests_request_one_token(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert submit_all(client, 60) == [201] * 60
    assert tokens_issued(sandbox) == len(sandbox.requests("token")) == 1
    (token,) = set(token_on_requests(sandbox))
    assert token.startswith("MII")
    for entry in sandbox.requests("verified-info"):
        assert "Authorization" not in entry["headers"]
        assert "X-Sdk-Date" not in entry["headers"]


def test_no_token_is_requested_before_the_first_request(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert client.get("/readyz").status_code == 200
    assert sandbox.requests() == []


@pytest.mark.parametrize("death", DEATHS)
def test_a_token_that_dies_in_use_is_renewed_once_and_no_request_fails(
    client: FlaskClient, sandbox: SandboxDriver, death: str
) -> None:
    assert submit(client).status_code == 201
    dead = events("dead")
    for renewals in range(1, 4):
        sandbox.revoke_tokens(death)
        assert submit_all(client, 20) == [201] * 20
        assert tokens_issued(sandbox) == 1 + renewals
    assert events("dead") == dead + 3
    assert len(sandbox.requests("verified-info")) <= 1 + 3 * 40


@pytest.mark.parametrize("death", DEATHS)
def test_a_read_and_a_write_are_each_repeated_once_with_the_new_token(
    tokens: Tokens,
    token_settings: Settings,
    client: FlaskClient,
    sandbox: SandboxDriver,
    death: str,
) -> None:
    center = partner_center(token_settings, tokens)
    assert read(center) is None
    sandbox.revoke_tokens(death)
    assert read(center) is None
    assert len(sandbox.requests("result")) == 3
    assert len(set(token_on_requests(sandbox, "result"))) == 2

    assert submit(client).status_code == 201
    sandbox.revoke_tokens(death)
    assert submit(client).status_code == 201
    assert len(sandbox.requests("verified-info")) == 3
    assert len(set(token_on_requests(sandbox))) == 2


def test_a_request_renews_the_token_at_most_once(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert submit(client).status_code == 201
    sandbox.fault("verified-info", "code", code="CBC.0154", status=401)
    response = submit(client)
    assert (response.status_code, code(response)) == (503, "UPSTREAM_ACCESS_DENIED")
    assert tokens_issued(sandbox) == 2
    assert len(sandbox.requests("verified-info")) == 3


def test_tokens_that_are_refused_immediately_are_not_requested_in_a_loop(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.fault("verified-info", "code", code="CBC.0154", status=401)
    assert {code(submit(client)) for _ in range(10)} == {"UPSTREAM_ACCESS_DENIED"}
    assert submit_all(client, 20) == [503] * 20
    assert tokens_issued(sandbox) <= 2


def test_a_token_is_requested_again_after_a_pause(
    token_settings: Settings, tokens: Tokens, sandbox: SandboxDriver, clock: Clock
) -> None:
    center = partner_center(token_settings, tokens)
    sandbox.fault("result", "code", code="CBC.0154", status=401)
    for _ in range(5):
        assert read(center) == ErrorCode.UPSTREAM_ACCESS_DENIED
    sandbox.clear_faults()
    clock.pass_time(60)
    assert read(center) is None
    assert tokens_issued(sandbox) == 3


def test_a_clock_that_is_put_back_prolongs_no_pause(
    token_settings: Settings, sandbox: SandboxDriver, clock: Clock
) -> None:
    wall = Clock()
    center = partner_center(token_settings, iam_tokens(token_settings, clock, wall=wall))
    sandbox.fault("result", "code", code="CBC.0154", status=401)
    for _ in range(5):
        assert read(center) == ErrorCode.UPSTREAM_ACCESS_DENIED
    sandbox.clear_faults()
    wall.pass_time(-3600)
    clock.pass_time(60)
    assert read(center) is None


@pytest.mark.parametrize("refusal", ["APIGW.0302", "CBC.0151", "IAM.0001"])
def test_a_refusal_unrelated_to_the_token_does_not_renew_it(
    client: FlaskClient, sandbox: SandboxDriver, refusal: str
) -> None:
    sandbox.fault("verified-info", "code", code=refusal, status=403)
    assert [code(submit(client)) for _ in range(3)] == ["UPSTREAM_ACCESS_DENIED"] * 3
    assert tokens_issued(sandbox) == 1
    assert len(sandbox.requests("verified-info")) == 3


def test_a_token_is_not_renewed_before_its_margin(
    token_settings: Settings, tokens: Tokens, sandbox: SandboxDriver, clock: Clock
) -> None:
    center = partner_center(token_settings, tokens)
    assert read(center) is None
    clock.pass_time(LIFE - MARGIN[0] - 1)
    assert read(center) is None
    assert tokens_issued(sandbox) == 1


def test_a_token_near_its_expiry_is_renewed_once_while_the_old_one_stays_in_use(
    token_settings: Settings, tokens: Tokens, sandbox: SandboxDriver, clock: Clock
) -> None:
    center = partner_center(token_settings, tokens)
    assert read(center) is None
    renewed = events("renewed")
    clock.pass_time(LIFE - MARGIN[0])
    sandbox.fault("token", "latency", seconds=60, count=1)
    assert together(10, lambda _: read(center)) == [None] * 10  # IAM has not answered yet
    assert len(set(token_on_requests(sandbox, "result"))) == 1
    sandbox.clear_faults()
    wait_until(lambda: events("renewed") > renewed)
    assert read(center) is None
    assert len(set(token_on_requests(sandbox, "result"))) == 2
    assert tokens_issued(sandbox) == 2
    assert tokens.describe()["token"]["issued_at"] == clock.utc()


@pytest.mark.parametrize("chosen", [0.0, 0.5, 1.0])
def test_jitter_spreads_the_renewals_of_tokens_over_the_margin(
    token_settings: Settings, sandbox: SandboxDriver, clock: Clock, chosen: float
) -> None:
    tokens = iam_tokens(token_settings, clock, jitter=lambda a, b: a + (b - a) * chosen)
    center = partner_center(token_settings, tokens)
    assert read(center) is None
    margin = MARGIN[0] + (MARGIN[1] - MARGIN[0]) * chosen
    renewed = events("renewed")
    clock.pass_time(LIFE - margin - 1)
    assert read(center) is None
    assert events("renewed") == renewed
    clock.pass_time(1)
    assert read(center) is None
    wait_until(lambda: events("renewed") > renewed)
    assert tokens_issued(sandbox) == 2


def test_a_failed_renewal_is_repeated_after_a_pause_while_the_old_token_stays_in_use(
    token_settings: Settings, tokens: Tokens, sandbox: SandboxDriver, clock: Clock
) -> None:
    center = partner_center(token_settings, tokens)
    assert read(center) is None
    failed, renewed = events("renewal_failed"), events("renewed")
    sandbox.fault("token", "html", status=502)
    clock.pass_time(LIFE - MARGIN[0])
    assert read(center) is None
    wait_until(lambda: events("renewal_failed") > failed)
    for _ in range(5):
        assert read(center) is None
    assert len(sandbox.requests("token")) == 2
    sandbox.clear_faults()
    clock.pass_time(RETRY_INTERVAL)
    wait_until(lambda: read(center) is None and events("renewed") > renewed)
    assert len(sandbox.requests("token")) == 3
    assert (events("renewal_failed"), tokens_issued(sandbox)) == (failed + 1, 2)


def test_a_token_about_to_expire_is_not_used(
    token_settings: Settings, tokens: Tokens, sandbox: SandboxDriver, clock: Clock
) -> None:
    center = partner_center(token_settings, tokens)
    assert read(center) is None
    clock.pass_time(LIFE - SAFE_LIFE)
    sandbox.fault(
        "token", "html", status=503, count=1
    )  # consumed by the early renewal if that comes first
    wait_until(lambda: read(center) is None)
    assert len(set(token_on_requests(sandbox, "result"))) == 2


def test_a_token_that_died_during_a_wait_is_not_sent(tokens: Tokens, clock: Clock) -> None:
    old = tokens.token()
    assert tokens.is_valid(old)
    clock.pass_time(LIFE - SAFE_LIFE)
    assert not tokens.is_valid(old)
    dropped = tokens.token()
    tokens.settle(dropped, Verdict.DEAD)
    assert not tokens.is_valid(dropped)


def test_the_lifetime_of_a_token_counts_from_our_clock(
    token_settings: Settings, tokens: Tokens, sandbox: SandboxDriver, clock: Clock
) -> None:
    sandbox.clock(-86000)
    center = partner_center(token_settings, tokens)
    assert read(center) is None
    token = tokens.describe()["token"]
    assert (token["expires_at"] - token["issued_at"]).total_seconds() == LIFE
    assert token["issued_at"] == clock.utc()
