"""The settings of a partner account."""

from typing import Literal, Self

from pydantic import Field, model_validator

from app.settings.buckets import AttachmentSettings, BillSettings, KeyFiles
from app.settings.values import (
    File,
    Id,
    ProxyUrl,
    Seconds,
    Section,
    Url,
)


class PairSettings(KeyFiles):
    """The files of one of the partner's key pairs, permanent or temporary."""

    security_token_file: File | None = Field(
        None, description="file that holds the security token of a temporary pair"
    )
    expires_at_file: File | None = Field(
        None, description="file that holds the expiry time of a temporary pair (RFC 3339)"
    )


class IamSettings(Section):
    """The IAM endpoint and the IAM user for tokens."""

    endpoint: Url = Field(description="IAM of the account's site")
    domain: str = Field(min_length=1, max_length=64, description="the account's name")
    user: str = Field(
        min_length=1, max_length=64, description="an IAM user with programmatic access"
    )
    password_file: File = Field(description="file that holds the user's password")


class QuotaSettings(Section):
    """The calls that Huawei allows."""

    requests_per_second: float = Field(
        10,
        gt=0,
        le=1000,
        description="calls a second that Huawei allows to each of its APIs",
    )


class WatchSettings(Section):
    """What the gateway looks at by itself: open reviews, associations, budgets and the credit."""

    calls_per_second: float = Field(
        1.0,
        ge=0,
        le=1000,
        description="largest part of the quota of each API that the gateway uses to look at open "
        "reviews, associations, budgets and the credit by itself; 0 switches this off",
    )
    max_age: float = Field(
        15.0,
        ge=0,
        le=3600,
        description="seconds for which what is known of an open review answers a read; 0 asks "
        "Huawei for each read",
    )


class VerificationSettings(Section):
    """The backend of an account's verifications."""

    backend: Literal["legacy", "review", "auto"] = Field(
        "auto",
        description="generation of Huawei's API: `legacy`, `review`, or `auto` for a choice by "
        "submission",
    )
    review_share: int = Field(
        100,
        ge=0,
        le=100,
        description="with `auto`: percentage of customers that prefer the review backend; a "
        "customer always gets the same choice",
    )
    legacy_numbers: Literal["integer", "string"] = Field(
        "integer",
        description="form of numbers in a legacy body: Huawei's table declares integers, Huawei's "
        "example sends strings",
    )

    @model_validator(mode="after")
    def _check_backend(self) -> Self:
        if self.backend != "auto" and "review_share" in self.model_fields_set:
            raise ValueError(f"review_share: has no effect with `{self.backend}`; it needs `auto`")
        if self.backend == "review" and "legacy_numbers" in self.model_fields_set:
            raise ValueError("legacy_numbers: has no effect with `review`")
        return self


class TimeoutSettings(Section):
    """The timeouts of an upstream call."""

    connect: Seconds = Field(3.0, description="seconds to connect")
    read: Seconds = Field(
        15.0, description="seconds for the whole answer after the request was sent"
    )


class ReliabilitySettings(Section):
    """Retries and the circuit breaker."""

    tries: int = Field(
        5,
        ge=1,
        le=10,
        description="highest number of times that a call is sent; only calls that are safe to "
        "repeat are sent again",
    )
    breaker_failures: int = Field(
        10, ge=1, description="failures in a row that stop the calls to Huawei (open the circuit)"
    )
    breaker_pause: Seconds = Field(
        10.0, description="seconds until an open circuit allows a trial call"
    )


class AccountSettings(Section):
    """One partner account at Huawei."""

    endpoint: Url = Field(description="Partner Center endpoint of the account's site")
    partner_id: Id = Field(description="the partner's Huawei account id")
    platform_id: str = Field(
        min_length=1, max_length=64, description="the platform id (Huawei's `xaccountType`)"
    )
    authentication: Literal["signature", "token"] = Field(
        "signature",
        description="authentication at Huawei: by `signature` of a key pair, or by IAM `token`",
    )
    credentials: tuple[PairSettings, ...] = Field(
        (),
        max_length=4,
        description="key pairs for `signature`; the first usable pair signs",
    )
    iam: IamSettings | None = Field(None, description="IAM user; required for `token`")
    verification: VerificationSettings = VerificationSettings()
    attachments: AttachmentSettings | None = Field(
        None, description="OBS bucket for attachments; without it the account accepts none"
    )
    bills: BillSettings = BillSettings()
    quota: QuotaSettings = QuotaSettings()
    watch: WatchSettings = WatchSettings()
    reliability: ReliabilitySettings = ReliabilitySettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    ca_file: File | None = Field(
        None,
        description="file of the certificate authorities to trust instead of the "
        "machine's authorities",
    )
    proxy: ProxyUrl | None = Field(
        None,
        repr=False,
        description="HTTP proxy towards Huawei; the environment's proxies are ignored",
    )

    @model_validator(mode="after")
    def _check_bills(self) -> Self:
        if self.bills.model_fields_set and not (self.bills.bucket or self.attachments):
            raise ValueError(
                "bills: has no effect without a bucket: set `bills.bucket` or `attachments`"
            )
        return self

    @model_validator(mode="after")
    def _check_watch(self) -> Self:
        chosen = "calls_per_second" in self.watch.model_fields_set
        if chosen and self.watch.calls_per_second > self.quota.requests_per_second:
            raise ValueError("watch.calls_per_second: must not be above `quota`")
        return self

    @model_validator(mode="after")
    def _check_authentication(self) -> Self:
        if self.authentication == "signature":
            if not self.credentials:
                raise ValueError("credentials: is missing; `signature` requires a key pair")
            if self.iam is not None:
                raise ValueError("iam: has no effect with `signature`; only `token` uses it")
            return self
        if self.iam is None:
            raise ValueError("iam: is missing; `token` requires it")
        if self.credentials:
            raise ValueError("credentials: have no effect with `token`; only `signature` uses them")
        return self
