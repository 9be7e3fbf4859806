"""The mounted credentials of an account, and their use as the sandbox recorded it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from app import create_app
from app.errors import ErrorCode, GatewayError
from app.huawei.credentials.credentials import Credentials
from app.huawei.credentials.key_pair import KeyPair
from app.huawei.credentials.key_pairs import KeyPairs
from app.huawei.credentials.key_slot import load
from app.huawei.credentials.tokens import Tokens
from app.huawei.iam import Iam
from app.huawei.pacing.deadline import READ, Errand
from app.huawei.partner_center import PartnerCenter
from app.huawei.review_result import READ_RESULT
from app.settings import PairSettings, Settings
from app.state import MemoryState, Sealing, State
from tests.support.gateway import ACCESS_KEY, PARTNER_ID, SECRET_KEY, altered
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock
from tests.support.valkey import STATE_KEY

PASSWORD = "sandbox-password-not-a-secret"  # of the IAM user `partner`
PAIR = (ACCESS_KEY, SECRET_KEY)
NEW_PAIR = ("NEWACCESSKEY00000001", "new-secret-key-0001-not-a-secret")
SEALING = Sealing(b"k" * 32)


def replace(path: Path, text: str | bytes) -> None:
    """Write a file atomically: to a temporary name, then renamed."""
    aside = path.with_name(f".{path.name}.new")
    aside.write_bytes(text.encode() if isinstance(text, str) else text)
    aside.rename(path)


@dataclass(frozen=True)
class Mounted:
    """The files of a key pair."""

    folder: Path
    temporary: bool = False

    def write(
        self, access_key: str, secret_key: str, token: str | None = None, expires: str | None = None
    ) -> Mounted:
        """Replace the files, one after the other."""
        self.folder.mkdir(exist_ok=True)
        texts = {"ak": access_key, "sk": secret_key, "token": token, "expires": expires}
        for name, text in texts.items():
            if text is not None:
                replace(self.folder / name, f"{text}\n")
        return self

    def damage(self, name: str, content: bytes | str | None) -> None:
        """Replace one file by this content, by a folder for "dir", or by nothing for None."""
        path = self.folder / name
        path.unlink()
        if content == "dir":
            path.mkdir()
        elif isinstance(content, bytes):
            path.write_bytes(content)

    @property
    def settings(self) -> dict[str, Path]:
        """The entry in the account's `credentials`."""
        names = {"access_key_file": "ak", "secret_key_file": "sk"}
        if self.temporary:
            names |= {"security_token_file": "token", "expires_at_file": "expires"}
        return {key: self.folder / name for key, name in names.items()}


def with_pairs(settings: Settings, *pairs: Mounted) -> Settings:
    """The settings, in which the default account has these key pairs."""
    return altered(settings, credentials=tuple(pair.settings for pair in pairs))


def with_token(settings: Settings, folder: Path, iam_url: str, **iam: Any) -> Settings:
    """The settings, in which the default account uses IAM tokens. Writes the password file."""
    path = folder / "password"
    path.write_text(f"{PASSWORD}\n")
    entry = {"endpoint": iam_url, "domain": "partner", "user": "partner", "password_file": path}
    return altered(settings, authentication="token", iam=entry | iam, credentials=())


def with_state(settings: Settings, folder: Path, url: str, key: str = STATE_KEY) -> Settings:
    """The settings with a shared state. Writes the file of the sealing key."""
    path = folder / f"state-{key[-4:]}"
    path.write_text(key)
    state = {"url": url, "key_file": path}
    return Settings.model_validate(settings.model_dump(exclude_unset=True) | {"state": state})


def gateway(settings: Settings) -> FlaskClient:
    """A client of a new gateway."""
    return create_app(settings).test_client()


def partner_center(settings: Settings, credentials: Credentials) -> PartnerCenter:
    """The default account's client of Partner Center, with the given credentials."""
    account = settings.accounts["default"]
    return PartnerCenter("default", account, credentials, MemoryState(), observe=lambda _: None)


def key_pairs(settings: Settings, clock: Clock, state: State | None = None) -> KeyPairs:
    """The default account's key pairs, on a clock that the test advances."""
    files = settings.accounts["default"].credentials
    known = state or MemoryState(now=clock)
    sealing = Sealing(STATE_KEY.encode())
    return KeyPairs("default", files, known, sealing, monotonic=clock, now=clock)


def loaded(files: PairSettings, clock: Clock, state: State | None = None) -> KeyPair:
    """The key pair in these files, on a clock that the test advances."""
    known = state or MemoryState(now=clock)
    return load(files, known, SEALING, monotonic=clock, now=clock)


def read(center: PartnerCenter, customer: str = "cust-1") -> ErrorCode | None:
    """Read a customer's result. Returns the error code; None for success."""
    try:
        center.call(
            READ_RESULT,
            errand=Errand.within(READ, "reader"),
            customer=customer,
            query=[("customer_id", customer)],
        )
    except GatewayError as error:
        return error.code
    return None


def signers(sandbox: SandboxDriver, *, probes: bool | None = None) -> list[tuple[str, str | None]]:
    """Access key and answered code of each signed request, in the order of arrival.

    Args:
        probes: True selects the probes of new pairs, False all other requests, None both.
    """
    found = []
    for entry in sandbox.requests():
        match = re.search(r"Access=([^,]+),", entry["headers"].get("Authorization", ""))
        is_probe = entry["target"].endswith(f"result?customer_id={PARTNER_ID}")
        if match and probes in (None, is_probe):
            found.append((match[1], entry["code"]))
    return found


def used(sandbox: SandboxDriver) -> list[str]:
    """The access key of each request that is not a probe."""
    return [access_key for access_key, _ in signers(sandbox, probes=False)]


def tokens_issued(sandbox: SandboxDriver) -> int:
    """The number of tokens that IAM has issued."""
    issued: int = sandbox.state()["tokens_issued"]
    return issued


def events(event: str, account: str = "default") -> float:
    """The count of an event of the credentials of an account."""
    labels = {"account": account, "event": event}
    return REGISTRY.get_sample_value("gateway_credential_events_total", labels) or 0.0


def iam_tokens(
    settings: Settings,
    clock: Clock,
    state: State | None = None,
    jitter: Callable[[float, float], float] = lambda early, _: early,
    wall: Clock | None = None,
) -> Tokens:
    """The default account's token, on a clock that the test advances, with the given jitter.

    `wall` is the wall clock, if it is another one.
    """
    known = state or MemoryState(now=clock)
    sealing = Sealing(STATE_KEY.encode())
    clocks = {"now": wall or clock, "monotonic": clock}
    return Tokens("default", iam(settings), known, sealing, jitter=jitter, **clocks)


def iam(settings: Settings) -> Iam:
    """The default account's client of IAM."""
    account = settings.accounts["default"]
    assert account.iam is not None
    return Iam("default", account, account.iam, observe=lambda _: None)


def token_on_requests(sandbox: SandboxDriver, operation: str = "verified-info") -> list[str]:
    """The token of each request of an operation, in the order of arrival."""
    return [entry["headers"]["X-Auth-Token"] for entry in sandbox.requests(operation)]
