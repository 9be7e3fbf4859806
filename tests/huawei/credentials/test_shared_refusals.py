"""What IAM refused, known to several gateways: no gateway repeats what another one tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import Settings
from tests.support.accounts import PASSWORD, gateway, replace, with_state
from tests.support.gateway import PERSON, bearer, code, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import together
from tests.support.valkey import Valkey


@pytest.fixture
def shared(token_settings: Settings, valkey: Valkey, tmp_path: Path) -> Settings:
    return with_state(token_settings, tmp_path, valkey.url)


def test_several_gateways_try_a_wrong_password_once_together(
    shared: Settings, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    replace(tmp_path / "password", "wrong-password")
    clients = [gateway(shared) for _ in range(3)]

    def answers() -> set[str | None]:
        found = together(21, lambda place: submit(clients[place % 3], f"c-{place}"))
        return {code(one) for one in found}

    assert answers() == {"UPSTREAM_ACCESS_DENIED"}
    assert code(submit(gateway(shared))) == "UPSTREAM_ACCESS_DENIED"  # a replica that starts later
    assert len(sandbox.requests("token")) == 1
    replace(tmp_path / "password", "wrong-again")
    assert answers() == {"UPSTREAM_ACCESS_DENIED"}
    assert len(sandbox.requests("token")) == 2
    replace(tmp_path / "password", PASSWORD)
    assert answers() == {None}
    assert len(sandbox.requests("token")) == 3


def test_a_refused_password_that_is_written_again_is_tried_again(
    shared: Settings, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    replace(tmp_path / "password", "wrong-password")
    client = gateway(shared)
    assert [code(submit(client)) for _ in range(2)] == ["UPSTREAM_ACCESS_DENIED"] * 2
    replace(tmp_path / "password", "wrong-password")
    assert [code(submit(client)) for _ in range(2)] == ["UPSTREAM_ACCESS_DENIED"] * 2
    assert len(sandbox.requests("token")) == 2


def test_valkey_does_not_reveal_the_refused_password(
    shared: Settings, sandbox: SandboxDriver, valkey: Valkey, tmp_path: Path
) -> None:
    replace(tmp_path / "password", "wrong-password")
    sandbox.settings(password_tries=1)
    assert code(submit(gateway(shared))) == "UPSTREAM_ACCESS_DENIED"
    held = valkey.values()
    assert held
    assert b"wrong-password" not in b"\n".join([*held, *held.values()])


def test_a_user_that_iam_locked_is_left_alone_by_every_gateway(
    shared: Settings, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    sandbox.settings(password_tries=1)
    replace(tmp_path / "password", "wrong-password")
    clients = [gateway(shared) for _ in range(3)]
    assert code(submit(clients[0])) == "UPSTREAM_ACCESS_DENIED"
    replace(tmp_path / "password", PASSWORD)
    for client in clients:
        assert code(submit(client)) == "UPSTREAM_ACCESS_DENIED"
    assert len(sandbox.requests("token")) == 2


def test_a_refused_password_that_is_written_again_is_tried_once_by_all_gateways(
    shared: Settings, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    """The kubelet writes all files of a Secret again when one of them changes."""
    replace(tmp_path / "password", "wrong-password")
    clients = [gateway(shared) for _ in range(8)]
    assert {code(submit(client)) for client in clients} == {"UPSTREAM_ACCESS_DENIED"}
    for _ in range(2):
        replace(tmp_path / "password", "wrong-password")
        for _ in range(2):
            assert {code(submit(client)) for client in clients} == {"UPSTREAM_ACCESS_DENIED"}
    assert len(sandbox.requests("token")) == 2


def test_accounts_with_one_user_try_a_wrong_password_once_together(
    shared: Settings, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    replace(tmp_path / "password", "wrong-password")
    document = shared.model_dump(exclude_unset=True)
    one = document["accounts"]["default"]
    names = [f"shop-{number}" for number in range(5)]
    document["accounts"] |= dict.fromkeys(names, one)
    document["callers"]["writer"]["accounts"] = names
    clients = [gateway(Settings.model_validate(document)) for _ in range(2)]

    def ask(place: int) -> str | None:
        account = {"Partner-Account": names[place % 5]}
        path = f"/v1/customers/c-{place}/verifications/individual"
        return code(clients[place % 2].post(path, json=PERSON, headers=bearer() | account))

    assert set(together(20, ask)) == {"UPSTREAM_ACCESS_DENIED"}
    assert len(sandbox.requests("token")) == 1
