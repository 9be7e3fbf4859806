"""Calls to IAM and the handling of its refusals: a wrong password is tried once."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from app.errors import ErrorCode, GatewayError
from app.huawei.credentials.guarded_iam import LOCK_PAUSE, REFUSED_PAUSE
from app.huawei.credentials.tokens import Tokens
from app.settings import Settings
from app.state import MemoryState
from tests.support.accounts import (
    PASSWORD,
    events,
    gateway,
    iam_tokens,
    replace,
    tokens_issued,
    with_token,
)
from tests.support.gateway import code, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock, together

DENIED = ErrorCode.UPSTREAM_ACCESS_DENIED


def ask(tokens: Tokens) -> ErrorCode | None:
    """The error code of a request for a token; None if a token is returned."""
    try:
        tokens.token()
    except GatewayError as error:
        return error.code
    return None


def test_the_documented_token_request_is_sent_to_iam(
    tokens: Tokens, sandbox: SandboxDriver
) -> None:
    assert ask(tokens) is None
    (sent,) = sandbox.requests("token")
    assert (sent["method"], sent["target"]) == ("POST", "/v3/auth/tokens?nocatalog=1")
    assert sent["headers"]["Content-Type"] == "application/json;charset=utf8"
    domain = {"name": "partner"}
    user = {"name": "partner", "password": PASSWORD, "domain": domain}
    identity = {"methods": ["password"], "password": {"user": user}}
    assert json.loads(sent["body"]) == {"auth": {"identity": identity, "scope": {"domain": domain}}}


def test_a_wrong_password_is_tried_once_for_all_requests(
    token_settings: Settings, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    replace(tmp_path / "password", "wrong-password")
    client = gateway(token_settings)
    refused = events("refused")
    answers = together(20, lambda place: submit(client, f"customer-{place}"))
    answers += [submit(client) for _ in range(5)]
    assert {(one.status_code, code(one)) for one in answers} == {(503, "UPSTREAM_ACCESS_DENIED")}
    assert len(sandbox.requests()) == 1
    assert events("refused") == refused + 1
    assert "password file" in answers[-1].get_json()["detail"]
    assert not sandbox.state()["user_locked"]

    replace(tmp_path / "password", "wrong-again")
    assert [code(submit(client)) for _ in range(3)] == ["UPSTREAM_ACCESS_DENIED"] * 3
    assert len(sandbox.requests()) == 2
    replace(tmp_path / "password", PASSWORD)
    assert submit(client).status_code == 201


def test_a_wrong_password_is_never_tried_again(
    tokens: Tokens, sandbox: SandboxDriver, tmp_path: Path, clock: Clock
) -> None:
    replace(tmp_path / "password", "wrong-password")
    for _ in range(3):
        assert ask(tokens) is DENIED
        clock.pass_time(86400)
    assert len(sandbox.requests()) == 1
    assert tokens.describe()["token"]["condition"] == "REFUSED"


def test_no_token_is_requested_while_the_iam_user_is_locked(
    tokens: Tokens, sandbox: SandboxDriver, tmp_path: Path, clock: Clock
) -> None:
    sandbox.settings(password_tries=1)
    replace(tmp_path / "password", "wrong-password")
    assert ask(tokens) is DENIED
    assert sandbox.state()["user_locked"]
    replace(tmp_path / "password", PASSWORD)
    assert ask(tokens) is DENIED
    assert tokens.describe()["token"]["condition"] == "LOCKED"
    assert [ask(tokens) for _ in range(3)] == [DENIED] * 3
    assert len(sandbox.requests()) == 2
    sandbox.clock(LOCK_PAUSE)
    assert ask(tokens) is DENIED
    clock.pass_time(LOCK_PAUSE)
    assert ask(tokens) is None
    assert tokens.describe()["token"]["condition"] == "HELD"


def test_a_replica_remembers_the_locked_user_though_the_shared_state_forgot_it(
    token_settings: Settings, sandbox: SandboxDriver, clock: Clock
) -> None:
    forgets = Clock()
    tokens = iam_tokens(token_settings, clock, MemoryState(now=forgets))
    sandbox.fault("token", "code", code="IAM.0061", status=401, count=1)
    assert ask(tokens) is DENIED
    forgets.pass_time(LOCK_PAUSE)
    assert ask(tokens) is DENIED
    assert len(sandbox.requests()) == 1


def test_waiting_for_a_token_ends_at_the_deadline_of_the_request(
    tokens: Tokens, sandbox: SandboxDriver
) -> None:
    sandbox.fault("token", "hang")
    begun = time.monotonic()
    with pytest.raises(GatewayError) as failed:
        tokens.token(within=1)
    assert failed.value.code is ErrorCode.UPSTREAM_ERROR
    assert time.monotonic() - begun < 3
    sandbox.clear_faults()
    assert ask(tokens) is None


def test_iam_is_not_called_after_the_deadline(tokens: Tokens, sandbox: SandboxDriver) -> None:
    with pytest.raises(GatewayError) as failed:
        tokens.token(within=0.1)
    assert failed.value.code is ErrorCode.DEADLINE_EXCEEDED
    assert sandbox.requests() == []


@pytest.mark.parametrize("status", [403, 404])
def test_iam_is_called_again_after_a_pause_for_other_refusals(
    tokens: Tokens, sandbox: SandboxDriver, clock: Clock, status: int
) -> None:
    """Temporary refusals: a page of a proxy, a missing permission, a wrong address."""
    sandbox.fault("token", "html", status=status, count=1)
    assert [ask(tokens) for _ in range(3)] == [DENIED] * 3
    assert len(sandbox.requests()) == 1
    clock.pass_time(REFUSED_PAUSE)
    assert ask(tokens) is None


def test_a_refusal_of_one_replica_pauses_the_others_too(
    token_settings: Settings, sandbox: SandboxDriver, clock: Clock
) -> None:
    state = MemoryState(now=clock)
    one, other = (iam_tokens(token_settings, clock, state) for _ in range(2))
    sandbox.fault("token", "html", status=403, count=1)
    assert [ask(one), ask(other)] == [DENIED] * 2
    assert len(sandbox.requests()) == 1
    clock.pass_time(REFUSED_PAUSE)
    assert ask(other) is None


# fault, parameters -> code
FAULTS: list[tuple[str, dict[str, Any], ErrorCode]] = [
    ("reset", {}, ErrorCode.UPSTREAM_ERROR),
    ("truncated", {}, ErrorCode.UPSTREAM_ERROR),
    ("html", {"status": 500}, ErrorCode.UPSTREAM_ERROR),
    ("html", {"status": 200}, ErrorCode.UPSTREAM_MALFORMED),
    ("status", {"status": 503, "body": {}}, ErrorCode.UPSTREAM_ERROR),
    ("status", {"status": 201, "body": {}}, ErrorCode.UPSTREAM_MALFORMED),
    ("status", {"status": 400, "body": {"error": {"code": 400}}}, ErrorCode.UPSTREAM_MALFORMED),
    ("empty", {"status": 201}, ErrorCode.UPSTREAM_MALFORMED),
    ("bad_json", {}, ErrorCode.UPSTREAM_MALFORMED),
    ("not_object", {}, ErrorCode.UPSTREAM_MALFORMED),
    ("huge", {}, ErrorCode.UPSTREAM_MALFORMED),
    ("redirect", {}, ErrorCode.UPSTREAM_MALFORMED),
    ("throttled", {}, ErrorCode.UPSTREAM_THROTTLED),
    ("throttled", {"code": None, "retry_after": 9}, ErrorCode.UPSTREAM_THROTTLED),
    ("code", {"code": "IAM.0012"}, ErrorCode.UPSTREAM_THROTTLED),
    ("code", {"code": "IAM.0006"}, ErrorCode.UPSTREAM_ERROR),
    ("code", {"code": "IAM.0011"}, DENIED),
    ("code", {"code": "IAM.0081"}, DENIED),
]


@pytest.mark.parametrize(("kind", "parameters", "expected"), FAULTS)
def test_each_fault_of_iam_has_its_error_code_and_is_temporary(
    tokens: Tokens,
    sandbox: SandboxDriver,
    clock: Clock,
    kind: str,
    parameters: dict[str, Any],
    expected: ErrorCode,
) -> None:
    sandbox.fault("token", kind, count=1, **parameters)
    with pytest.raises(GatewayError) as failed:
        tokens.token()
    assert failed.value.code is expected
    throttled = parameters.get("retry_after", 3) if "THROTTLED" in expected.name else None
    assert failed.value.retry_after == throttled
    assert failed.value.write is False  # no write was sent
    clock.pass_time(REFUSED_PAUSE)
    assert ask(tokens) is None


def test_nothing_is_sent_to_partner_center_where_iam_is_unreachable(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path, clock: Clock
) -> None:
    tokens = iam_tokens(with_token(settings, tmp_path, "http://127.0.0.1:1"), clock)
    assert together(10, lambda _: ask(tokens)) == [ErrorCode.UPSTREAM_UNREACHABLE] * 10
    assert sandbox.requests() == []


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_iam_is_not_called_without_a_password(
    token_settings: Settings, sandbox: SandboxDriver, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "password"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    client = gateway(token_settings)
    response = submit(client)
    assert (response.status_code, code(response)) == (503, "UPSTREAM_ACCESS_DENIED")
    assert "password of this account cannot be read" in response.get_json()["detail"]
    assert sandbox.requests() == []
    replace(path, PASSWORD)
    assert submit(client).status_code == 201
    assert tokens_issued(sandbox) == 1
