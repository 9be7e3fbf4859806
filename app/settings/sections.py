"""What there is to configure: one section a class, each key with its meaning.

A secret is always the path of a file.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

Scope = Literal["verifications:read", "verifications:write", "attachments:write", "operations:read"]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(url: str) -> SplitResult:
    """The parts of a URL; urlsplit's own complaint would hold the URL, which may hold anything."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("must be a URL") from None
    return parts


def _check_url(url: str) -> str:
    """An https URL of scheme, host and port; http to loopback only (for the sandbox)."""
    parts = _parts(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("must be an https URL")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("must be https; http is for loopback addresses only")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold scheme, host and port only")
    if parts.path not in ("", "/"):
        raise ValueError("must have no path")
    return url.rstrip("/")


def _check_file(path: Path) -> Path:
    if not path.is_absolute() or "\n" in str(path):
        raise ValueError("must be the absolute path of a file, never a secret itself")
    return path


def _check_proxy(url: str) -> str:
    parts = _parts(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https URL")
    if parts.username or parts.password:
        raise ValueError("must hold no user and password")
    return url


Url = Annotated[str, AfterValidator(_check_url)]
File = Annotated[Path, AfterValidator(_check_file)]
ProxyUrl = Annotated[str, AfterValidator(_check_proxy)]
# Names become log fields, header values and metric labels.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
# partner_id stands in a signed path, so it is held to the characters of an id.
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{2,62}$")]
Seconds = Annotated[float, Field(ge=0.1, le=60)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class KeyFiles(_Section):
    """Where an access key and its secret are mounted."""

    access_key_file: File = Field(description="file that holds the access key")
    secret_key_file: File = Field(description="file that holds the secret key")


class PairSettings(KeyFiles):
    """A key pair of the partner's, which may be a temporary one."""

    security_token_file: File | None = Field(
        None, description="file that holds the security token of a temporary pair"
    )
    expires_at_file: File | None = Field(
        None, description="file that holds when a temporary pair expires (RFC 3339)"
    )


class IamSettings(_Section):
    """Where and as whom tokens are asked for."""

    endpoint: Url = Field(description="IAM of the account's site")
    domain: str = Field(min_length=1, max_length=64, description="the account's name")
    user: str = Field(
        min_length=1, max_length=64, description="an IAM user with programmatic access"
    )
    password_file: File = Field(description="file that holds the user's password")


class QuotaSettings(_Section):
    """How many calls Huawei allows."""

    requests_per_second: float = Field(
        10,
        gt=0,
        le=1000,
        description="calls a second to each of Huawei's APIs",
    )


class VerificationSettings(_Section):
    """How the verifications of an account are served."""

    backend: Literal["legacy", "review", "auto"] = Field(
        "auto", description="upstream generation: `legacy`, `review`, or `auto` to choose"
    )
    review_share: int = Field(
        100,
        ge=0,
        le=100,
        description="with `auto`: percentage of customers, always the same ones, whose "
        "verifications prefer the review backend",
    )
    legacy_numbers: Literal["integer", "string"] = Field(
        "integer",
        description="form of numbers in a legacy body: Huawei's table says integers, the example "
        "printed beside it sends strings",
    )


class AttachmentSettings(KeyFiles):
    """The OBS bucket of an account, which belongs to an ordinary account with its own keys."""

    endpoint: Url = Field(description="OBS of the bucket's region, without the bucket's name")
    bucket: Bucket = Field(description="name of the bucket")
    region: Name = Field(description="region of the bucket")

    @model_validator(mode="after")
    def _check_endpoint(self) -> Self:
        if self.endpoint.partition("://")[2].startswith(f"{self.bucket}."):
            raise ValueError("endpoint: must not begin with the bucket's name")
        return self


class TimeoutSettings(_Section):
    """How long an upstream call may take."""

    connect: Seconds = Field(3.0, description="seconds to connect")
    read: Seconds = Field(15.0, description="seconds from request to whole answer")


class ReliabilitySettings(_Section):
    """How hard the gateway tries, and when it pauses."""

    tries: int = Field(
        5, ge=1, le=10, description="how often a call is sent at most, where repeating is safe"
    )
    breaker_failures: int = Field(
        10, ge=1, description="failures in a row after which calls to Huawei pause"
    )
    breaker_pause: Seconds = Field(10.0, description="seconds of that pause")


class AccountSettings(_Section):
    """One partner account at Huawei."""

    endpoint: Url = Field(description="Partner Center of the account's site")
    partner_id: Id = Field(description="the partner's Huawei account id")
    platform_id: str = Field(
        min_length=1, max_length=64, description="the platform id (Huawei's `xaccountType`)"
    )
    authentication: Literal["signature", "token"] = Field(
        "signature", description="how the gateway authenticates: `signature`, or IAM `token`"
    )
    credentials: tuple[PairSettings, ...] = Field(
        (),
        max_length=4,
        description="key pairs for `signature`; the first one that is usable signs",
    )
    iam: IamSettings | None = Field(None, description="needed for `token`")
    verification: VerificationSettings = VerificationSettings()
    attachments: AttachmentSettings | None = Field(
        None, description="where attachments are stored; without it there are none"
    )
    quota: QuotaSettings = QuotaSettings()
    reliability: ReliabilitySettings = ReliabilitySettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    ca_file: File | None = Field(
        None, description="certificate authorities to trust in place of the built-in ones"
    )
    proxy: ProxyUrl | None = Field(
        None, repr=False, description="HTTP proxy towards Huawei; the environment's are not used"
    )

    @model_validator(mode="after")
    def _check_authentication(self) -> Self:
        if self.authentication == "signature" and not self.credentials:
            raise ValueError("credentials: is missing; `signature` needs a key pair")
        if self.authentication == "token" and self.iam is None:
            raise ValueError("iam: is missing; `token` needs it")
        return self


class CallerSettings(_Section):
    """One internal service: how it proves who it is, and what it may do."""

    keys_sha256: tuple[Digest, ...] = Field(
        (),
        max_length=2,
        repr=False,
        description="SHA-256 of the caller's keys in hex; two, so that a key can be rotated",
    )
    scopes: frozenset[Scope] = Field(
        frozenset(), description="what the caller may do; nothing unless listed"
    )
    accounts: tuple[Name, ...] = Field(
        ("default",), min_length=1, description="accounts it may use; the first is its default"
    )
    service_account: str | None = Field(
        None,
        pattern=r"^[a-z0-9.-]{1,63}/[a-z0-9.-]{1,253}$",
        description="`namespace/name` of its Kubernetes service account; no effect yet",
    )
    rate: str | None = Field(
        None,
        pattern=r"^[1-9][0-9]{0,5}/(second|minute|hour)$",
        description="requests granted to the caller, e.g. `5/second`",
    )


class StateSettings(_Section):
    """Where replicas share what they must agree on."""

    url: str = Field(
        "memory://",
        repr=False,
        pattern=r"^(memory://|rediss?://\S+)$",
        description="`memory://` for one replica; `redis://…` or `rediss://…` for several",
    )
    replicas: int = Field(
        1,
        ge=1,
        le=100,
        description="number of replicas: each keeps to its part of the quota where they share no "
        "state, or have lost it",
    )
    key_file: File | None = Field(
        None, description="file with at least 32 random bytes; needed for Redis"
    )

    @model_validator(mode="after")
    def _check_key(self) -> Self:
        if self.url != "memory://" and self.key_file is None:
            raise ValueError("key_file: is missing; a shared state needs it")
        return self


class Settings(_Section):
    """The whole configuration."""

    accounts: Mapping[Name, AccountSettings] = Field(
        min_length=1, description="partner accounts by name"
    )
    callers: Mapping[Name, CallerSettings] = Field(description="callers by name")
    state: StateSettings = StateSettings()

    @model_validator(mode="after")
    def _check_callers(self) -> Self:
        seen: dict[str, str] = {}
        faults = []
        for name, caller in self.callers.items():
            faults += [
                f"callers.{name}.accounts: there is no account {account!r}"
                for account in caller.accounts
                if account not in self.accounts
            ]
            for digest in caller.keys_sha256:
                other = seen.setdefault(digest, name)
                if other != name:
                    faults.append(f"callers.{name}.keys_sha256: shares a key with {other}")
        if faults:
            raise ValueError("\n".join(faults))
        return self
