"""Tokens from IAM's answers: missing times, and malformed answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.errors import ErrorCode, GatewayError, Upstream
from app.huawei.credentials.tokens import SHORT_LIFE, Tokens
from app.settings import Settings
from tests.support.accounts import (
    events,
    gateway,
    iam,
    partner_center,
    read,
    tokens_issued,
    with_token,
)
from tests.support.gateway import submit
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock, wait_until

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)


TIMES = st.one_of(JSON, st.datetimes().map(str), st.datetimes().map(lambda t: f"{t.isoformat()}Z"))


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def described(**times: Any) -> dict[str, Any]:
    """A token's description with these times: seconds after noon, or other values."""
    described = {}
    for name, value in times.items():
        moment = NOON + timedelta(seconds=value) if isinstance(value, float) else None
        described[name] = f"{moment.replace(tzinfo=None).isoformat()}Z" if moment else value
    return {"token": described}


@pytest.mark.parametrize(
    ("body", "life"),
    [
        # Both times are IAM's, so our clock does not matter.
        (described(issued_at=5e6, expires_at=5e6 + 86400.0), 86400),
        (described(issued_at=5e6, expires_at=5e6 + 100.0), 100),
        # Our clock decides, limited to the lifetime of a new token.
        (described(expires_at=80000.0), 80000),
        (described(issued_at=None, expires_at=80000.0), 80000),
        (described(issued_at="yesterday", expires_at=80000.0), 80000),
        (
            described(expires_at="2026-01-02T11:00:00"),
            82800,
        ),  # IAM's times are UTC, with or without an offset
        (described(expires_at=-5e6), 3600),
        (described(expires_at=0.0), 3600),
        (described(expires_at=61.0), 3600),
        (described(expires_at=5e8), 86400),
        # The expiry is unknown.
        (described(), 3600),
        (described(issued_at=0.0), 3600),
        (described(issued_at=0.0, expires_at="tomorrow"), 3600),
        (described(issued_at=0.0, expires_at=1767268800), 3600),
    ],
)
def test_a_token_without_issue_or_expiry_time_is_used(
    settings: Settings, tmp_path: Path, body: Any, life: float
) -> None:
    now = NOON.timestamp()
    with RawUpstream(answer(201, json.dumps(body), "X-Subject-Token: MIIx")) as upstream:
        asked = iam(with_token(settings, tmp_path, upstream.url))
        token = asked.partner_token(asked.password(), now, within=10)
    assert (token.text, token.issued, token.expires - now) == ("MIIx", now, life)


WHOLE = described(issued_at=0.0, expires_at=86400.0)
HEADER = "X-Subject-Token: MIIx"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [(201, (), WHOLE), (200, (HEADER,), WHOLE), (201, (HEADER,), {"token": "MIIx"})],
    ids=["no header", "another status", "no description"],
)
def test_an_answer_that_lacks_a_part_of_a_token_is_unreadable(
    settings: Settings, tmp_path: Path, status: int, headers: tuple[str, ...], body: Any
) -> None:
    with RawUpstream(answer(status, json.dumps(body), *headers)) as upstream:
        asked = iam(with_token(settings, tmp_path, upstream.url))
        with pytest.raises(GatewayError) as failed:
            asked.partner_token(asked.password(), NOON.timestamp(), within=10)
    assert failed.value.code is ErrorCode.UPSTREAM_MALFORMED
    assert failed.value.upstream == Upstream(None, status)


@pytest.mark.parametrize("setting", ["expires_at", "none"])
@pytest.mark.parametrize("off", [-90000, 0, 90000])
def test_requests_succeed_with_a_token_without_times(
    token_settings: Settings, sandbox: SandboxDriver, setting: str, off: float
) -> None:
    sandbox.settings(times_shown=setting)
    sandbox.clock(off)  # our clock or IAM's clock may be wrong
    client = gateway(token_settings)
    assert [submit(client, f"customer-{n}").status_code for n in range(3)] == [201] * 3
    assert tokens_issued(sandbox) == 1


def test_a_token_that_dies_before_its_assumed_end_is_replaced(
    token_settings: Settings, sandbox: SandboxDriver
) -> None:
    sandbox.settings(times_shown="none", token_seconds=600)
    client = gateway(token_settings)
    assert submit(client).status_code == 201
    sandbox.clock(601)
    assert submit(client).status_code == 201
    assert tokens_issued(sandbox) == 2


def test_a_token_of_a_short_life_is_renewed_in_the_last_part_of_it(
    token_settings: Settings, tokens: Tokens, sandbox: SandboxDriver, clock: Clock
) -> None:
    sandbox.settings(token_seconds=600)
    center = partner_center(token_settings, tokens)
    renewed = events("renewed")
    for _ in range(3):
        assert read(center) is None
        clock.pass_time(600 * (1 - SHORT_LIFE) / 3 - 1)
    assert (tokens_issued(sandbox), events("renewed")) == (1, renewed)
    clock.pass_time(4)
    assert read(center) is None
    wait_until(lambda: events("renewed") > renewed)
    assert tokens_issued(sandbox) == 2


BODIES = st.one_of(
    JSON,
    JSON.map(lambda inner: {"token": inner}),
    st.builds(lambda a, b: {"token": {"issued_at": a, "expires_at": b}}, TIMES, TIMES),
)


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES)
def test_any_answer_of_iam_is_a_token_or_a_catalogued_error(
    settings: Settings, tmp_path: Path, body: Any
) -> None:
    with RawUpstream(answer(201, json.dumps(body), "X-Subject-Token: MIIx")) as upstream:
        asked = iam(with_token(settings, tmp_path, upstream.url))
        found: ErrorCode | None = None
        try:
            token = asked.partner_token(asked.password(), 1000.0, within=10)
        except GatewayError as error:
            found = error.code
        else:
            assert (token.text, token.issued) == ("MIIx", 1000.0)
            assert token.expires >= 1000.0
            assert "MIIx" not in repr(token)
    assert found in (None, ErrorCode.UPSTREAM_MALFORMED)
