"""What there is to configure of a partner account."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from app.settings.values import (
    File,
    Id,
    Name,
    ProxyUrl,
    Seconds,
    Section,
    Url,
    is_address,
)

# OBS's rule for names (obs_04_0007): labels as in a host name, 3 to 63 characters together.
_LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
Bucket = Annotated[
    str,
    StringConstraints(min_length=3, max_length=63, pattern=rf"^{_LABEL}(\.{_LABEL})*$"),
]


class KeyFiles(Section):
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


class IamSettings(Section):
    """Where and as whom tokens are asked for."""

    endpoint: Url = Field(description="IAM of the account's site")
    domain: str = Field(min_length=1, max_length=64, description="the account's name")
    user: str = Field(
        min_length=1, max_length=64, description="an IAM user with programmatic access"
    )
    password_file: File = Field(description="file that holds the user's password")


class QuotaSettings(Section):
    """How many calls Huawei allows."""

    requests_per_second: float = Field(
        10,
        gt=0,
        le=1000,
        description="calls a second to each of Huawei's APIs",
    )


class VerificationSettings(Section):
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
    addressing: Literal["virtual-host", "path"] = Field(
        "virtual-host",
        description="where a request names the bucket: in front of the endpoint's host "
        "(`virtual-host`, which OBS requires), or in the `path`",
    )

    @model_validator(mode="after")
    def _check_addressing(self) -> Self:
        url = urlsplit(self.endpoint)
        host = url.hostname or ""
        if host.startswith(f"{self.bucket}."):
            raise ValueError(
                "endpoint: must not begin with the bucket's name, which the gateway adds"
            )
        if self.addressing == "virtual-host":
            if is_address(host):
                raise ValueError(
                    "addressing: must be `path`: `endpoint` is an IP address, which cannot carry "
                    "the bucket's name"
                )
            if "." in self.bucket and url.scheme == "https":
                # The asterisk in a certificate for `*.obs.…` matches one label only (RFC 9525
                # section 6.3), so the TLS handshake would fail.
                raise ValueError(
                    "addressing: must be `path`: a wildcard certificate does not cover a bucket "
                    "whose name contains a dot"
                )
        return self


class TimeoutSettings(Section):
    """How long an upstream call may take."""

    connect: Seconds = Field(3.0, description="seconds to connect")
    read: Seconds = Field(15.0, description="seconds from request to whole answer")


class ReliabilitySettings(Section):
    """How hard the gateway tries, and when it pauses."""

    tries: int = Field(
        5, ge=1, le=10, description="how often a call is sent at most, where repeating is safe"
    )
    breaker_failures: int = Field(
        10, ge=1, description="failures in a row after which calls to Huawei pause"
    )
    breaker_pause: Seconds = Field(10.0, description="seconds of that pause")


class AccountSettings(Section):
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
