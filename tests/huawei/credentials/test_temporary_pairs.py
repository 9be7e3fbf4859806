"""Temporary key pairs: signed with their security token, unused after their expiry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from app.errors import ErrorCode
from app.huawei.codes import Verdict
from app.huawei.credentials.key_pair import SUSPENSION
from app.huawei.credentials.key_pairs import CHECK_INTERVAL
from app.settings import PairSettings, Settings
from tests.support.accounts import (
    PASSWORD,
    Mounted,
    gateway,
    iam,
    key_pairs,
    loaded,
    partner_center,
    read,
    replace,
    signers,
    with_pairs,
    with_token,
)
from tests.support.gateway import SECOND_ACCESS_KEY, SECOND_SECRET_KEY, code, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock

LIFE = 900  # seconds


@dataclass(frozen=True)
class Temporary:
    """A key pair as IAM's security-token call returns it."""

    access: str
    secret: str
    securitytoken: str
    expires_at: str

    @property
    def texts(self) -> tuple[str, str, str, str]:
        return self.access, self.secret, self.securitytoken, self.expires_at


@pytest.fixture
def temporary(settings: Settings, sandbox: SandboxDriver, tmp_path: Path) -> Temporary:
    token = iam(with_token(settings, tmp_path, sandbox.url)).partner_token(PASSWORD, 0, within=10)
    method: dict[str, Any] = {"methods": ["token"], "token": {"duration_seconds": LIFE}}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{sandbox.url}/v3.0/OS-CREDENTIAL/securitytokens",
            json={"auth": {"identity": method}},
            headers={"X-Auth-Token": token.text},
            timeout=10,
        )
    sandbox.forget_requests()
    return Temporary(**answer.json()["credential"])


@pytest.fixture
def mounted(temporary: Temporary, tmp_path: Path) -> Mounted:
    return Mounted(tmp_path / "temporary", temporary=True).write(*temporary.texts)


@pytest.fixture
def lasting(tmp_path: Path) -> Mounted:
    return Mounted(tmp_path / "lasting").write(SECOND_ACCESS_KEY, SECOND_SECRET_KEY)


def test_a_temporary_pair_signs_with_its_security_token(
    settings: Settings, sandbox: SandboxDriver, mounted: Mounted, temporary: Temporary
) -> None:
    client = gateway(with_pairs(settings, mounted))
    assert submit(client).status_code == 201
    (sent,) = sandbox.requests()
    assert sent["headers"]["X-Security-Token"] == temporary.securitytoken
    assert ";x-security-token," in sent["headers"]["Authorization"]


def test_an_expired_temporary_pair_is_skipped_and_the_next_pair_signs(
    settings: Settings,
    sandbox: SandboxDriver,
    mounted: Mounted,
    lasting: Mounted,
    temporary: Temporary,
) -> None:
    clock = Clock()
    pairs = key_pairs(with_pairs(settings, mounted, lasting), clock)
    center = partner_center(settings, pairs)
    assert read(center) is None
    clock.seconds = datetime.fromisoformat(temporary.expires_at).timestamp()
    assert read(center) is None
    assert signers(sandbox) == [(temporary.access, None), (SECOND_ACCESS_KEY, None)]
    assert [one["condition"] for one in pairs.describe()["key_pairs"]] == ["EXPIRED", "PROVEN"]


def test_nothing_is_sent_where_all_pairs_are_expired(
    settings: Settings, sandbox: SandboxDriver, mounted: Mounted
) -> None:
    replace(mounted.folder / "expires", "2020-01-01T00:00:00Z")
    response = submit(gateway(with_pairs(settings, mounted)))
    assert (response.status_code, code(response)) == (503, "UPSTREAM_ACCESS_DENIED")
    assert response.get_json()["detail"] == "All key pairs of this account have expired."
    assert sandbox.requests() == []


def test_the_next_pair_signs_where_huawei_ends_a_temporary_pair_early(
    settings: Settings,
    sandbox: SandboxDriver,
    mounted: Mounted,
    lasting: Mounted,
    temporary: Temporary,
) -> None:
    """Huawei refuses an expired temporary key with the text for clock skew."""
    client = gateway(with_pairs(settings, mounted, lasting))
    sandbox.clock(LIFE - 10)
    ended: dict[str, Any] = {
        "secret_key": temporary.secret,
        "security_token": temporary.securitytoken,
        "expires_in": 0,
    }
    lasts: dict[str, Any] = {"secret_key": SECOND_SECRET_KEY}
    sandbox.access_keys(**{temporary.access: ended, SECOND_ACCESS_KEY: lasts})
    assert submit(client).status_code == 201
    assert signers(sandbox) == [
        (temporary.access, "APIGW.0301"),
        (SECOND_ACCESS_KEY, "CBC.0000"),
    ]


def test_an_expiry_file_replaced_after_the_keys_is_adopted(
    settings: Settings, sandbox: SandboxDriver, mounted: Mounted, temporary: Temporary
) -> None:
    """A tool replaces the files one by one, and the expiry last."""
    clock = Clock()
    replace(mounted.folder / "expires", clock.utc().isoformat())
    clock.pass_time(-60)
    pairs = key_pairs(with_pairs(settings, mounted), clock)
    center = partner_center(settings, pairs)
    assert read(center) is None
    clock.pass_time(61)
    assert read(center) == ErrorCode.UPSTREAM_ACCESS_DENIED
    replace(mounted.folder / "expires", temporary.expires_at)
    clock.pass_time(CHECK_INTERVAL)
    assert read(center) is None
    expires_at = pairs.describe()["key_pairs"][0]["expires_at"]
    assert expires_at == datetime.fromisoformat(temporary.expires_at)
    assert signers(sandbox, probes=True) == []


def test_the_successor_of_an_expired_temporary_pair_is_read_from_the_files(
    settings: Settings, sandbox: SandboxDriver, mounted: Mounted, temporary: Temporary
) -> None:
    clock = Clock()
    center = partner_center(settings, key_pairs(with_pairs(settings, mounted), clock))
    assert read(center) is None
    successor = {"secret_key": "next-secret", "security_token": "next-token"}
    sandbox.access_keys(NEXTACCESSKEY=successor)
    clock.seconds = datetime.fromisoformat(temporary.expires_at).timestamp()
    mounted.write("NEXTACCESSKEY", "next-secret", "next-token", "2099-01-01T00:00:00Z")
    assert read(center) is None
    assert signers(sandbox)[1:] == [
        ("NEXTACCESSKEY", signers(sandbox)[1][1]),
        ("NEXTACCESSKEY", None),
    ]
    assert sandbox.requests()[-1]["headers"]["X-Security-Token"] == "next-token"


@pytest.mark.parametrize("name", ["token", "expires"])
def test_a_temporary_pair_that_lacks_a_file_is_not_used(
    settings: Settings, sandbox: SandboxDriver, mounted: Mounted, name: str
) -> None:
    (mounted.folder / name).unlink()
    assert code(submit(gateway(with_pairs(settings, mounted)))) == "UPSTREAM_ACCESS_DENIED"
    assert sandbox.requests() == []


def test_a_signed_request_is_not_sent_once_its_pair_is_suspended_or_has_expired(
    files: PairSettings,
) -> None:
    clock = Clock(datetime(2030, 1, 1, tzinfo=UTC).timestamp())
    pair = loaded(files, clock)  # expires the next day
    pair.release(bool(pair.acquire()), Verdict.ACCEPTED)
    assert pair.may_send(probation=False)
    pair.release(False, Verdict.LOCKED)
    pair.release(False, Verdict.ACCEPTED)  # of a request that was sent before
    assert not pair.may_send(probation=False)
    clock.pass_time(SUSPENSION)
    assert pair.may_send(probation=False)
    clock.pass_time(3 * 86400)
    assert not pair.may_send(probation=False)
