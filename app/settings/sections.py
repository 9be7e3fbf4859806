"""The whole configuration, and its sections that are neither accounts nor callers.

A setting for a secret is always the path of a file.
"""

import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from app.settings.accounts import AccountSettings
from app.settings.callers import CallerSettings, IssuerSettings, OidcSettings
from app.settings.values import File, Name, Section, ServiceUrl, is_loopback, split_url
from app.settings.webhooks import WebhooksSettings, refused


class StateSettings(Section):
    """The state that the replicas share."""

    url: str = Field(
        "memory://",
        repr=False,
        pattern=r"^(memory://|rediss?://\S+)$",
        description="`memory://` for one replica; `redis://…` or `rediss://…` for several replicas",
    )
    replicas: int = Field(
        1,
        ge=1,
        le=100,
        description="number of replicas: without a shared state, and while Redis is lost, each "
        "replica uses its part of the quota",
    )
    key_file: File | None = Field(
        None,
        description="file that holds at least 32 random bytes, the key for the values in Redis; "
        "required for Redis",
    )

    password_file: File | None = Field(
        None, description="file that holds Redis's password; read for each new connection"
    )
    ca_file: File | None = Field(
        None, description="file of the certificate authorities to trust for `rediss://`"
    )
    insecure: bool = Field(
        False, description="allow plain `redis://` to another machine inside the cluster"
    )

    @model_validator(mode="after")
    def _check_key(self) -> Self:
        if self.url != "memory://" and self.key_file is None:
            raise ValueError("key_file: is missing; Redis requires it")
        if self.password_file and self.url == "memory://":
            raise ValueError("password_file: requires Redis in `url`")
        if self.password_file and ":" in self.url.partition("://")[2].rpartition("@")[0]:
            raise ValueError("password_file: must not be set if `url` holds a password")
        if self.ca_file and not self.url.startswith("rediss://"):
            raise ValueError("ca_file: requires a `rediss://` url")
        return self

    @field_validator("url")
    @classmethod
    def _check_url(cls, text: str) -> str:
        if text == "memory://":
            return text
        url = split_url(text)
        if not url.hostname:
            raise ValueError("must hold a host")
        # The client would ignore another path, and use the database 0.
        if not re.fullmatch(r"(/[0-9]{0,5})?", url.path):
            raise ValueError("must hold the number of a database, or nothing, behind `/`")
        return text

    @model_validator(mode="after")
    def _check_transport(self) -> Self:
        url = urlsplit(self.url)
        if self.insecure and url.scheme != "redis":
            raise ValueError("insecure: requires a `redis://` url")
        if url.scheme == "redis" and not (self.insecure or is_loopback(url.hostname or "")):
            raise ValueError(
                "url: must be `rediss://`; plain `redis://` to another machine requires "
                "`insecure: true`"
            )
        # Options of the client could switch the verification of certificates off.
        if url.query or url.fragment:
            raise ValueError("url: must have no options behind `?`; the database is its path")
        return self


class ServerSettings(Section):
    """Connections of callers."""

    keepalive: int = Field(
        75,
        ge=1,
        le=3600,
        description="seconds after which an idle connection of a caller is closed; longer than "
        "the load balancer's idle timeout, which usually is 60 seconds",
    )
    head_timeout: float = Field(
        10.0,
        gt=0,
        le=60,
        description="seconds that a caller has to send the head of a request, from its first byte",
    )


class AuditSettings(Section):
    """The audit trail. Audit lines always go to standard error as well."""

    file: File | None = Field(
        None,
        description="file to which the gateway appends one audit line for each write; it may be "
        "rotated",
    )


class TracingSettings(Section):
    """The export of traces."""

    endpoint: ServiceUrl | None = Field(
        None,
        description="OTLP collector (HTTP, usually port 4318); without it no traces are exported",
    )
    share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="share of the requests to trace, if the caller's `traceparent` does not decide",
    )
    ca_file: File | None = Field(
        None, description="file of the certificate authorities to trust for an https `endpoint`"
    )
    insecure: bool = Field(False, description="allow plain http inside the cluster")

    @model_validator(mode="after")
    def _check_transport(self) -> Self:
        if self.endpoint is None:
            beside = sorted(self.model_fields_set - {"endpoint"})
            if beside:
                raise ValueError("\n".join(f"{key}: requires `endpoint`" for key in beside))
            return self
        url = urlsplit(self.endpoint)
        if url.scheme == "http" and not (self.insecure or is_loopback(url.hostname or "")):
            raise ValueError("endpoint: must be https; plain http requires `insecure`")
        if self.ca_file and url.scheme != "https":
            raise ValueError("ca_file: requires an https `endpoint`")
        if self.insecure and url.scheme == "https":
            raise ValueError("insecure: has no effect with an https `endpoint`")
        return self


class Settings(Section):
    """The whole configuration."""

    accounts: Mapping[Name, AccountSettings] = Field(
        min_length=1, description="partner accounts by name"
    )
    callers: Mapping[Name, CallerSettings] = Field(description="callers by name")
    server: ServerSettings = ServerSettings()
    state: StateSettings = StateSettings()
    kubernetes: IssuerSettings | None = Field(
        None, description="the cluster whose service-account tokens callers may use"
    )
    oidc: OidcSettings | None = Field(
        None, description="the identity provider whose tokens callers may use"
    )
    webhooks: WebhooksSettings = WebhooksSettings()
    audit: AuditSettings = AuditSettings()
    tracing: TracingSettings = TracingSettings()

    @model_validator(mode="after")
    def _check_callers(self) -> Self:
        faults = [
            f"callers.{name}.accounts: there is no account {account!r}"
            for name, caller in self.callers.items()
            for account in caller.accounts
            if account not in self.accounts
        ]
        faults += self._missing_issuers() + self._shared_identities() + self._webhooks()
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _missing_issuers(self) -> list[str]:
        faults = []
        if self.kubernetes and self.oidc and self.kubernetes.issuer == self.oidc.issuer:
            faults.append("oidc.issuer: must differ from `kubernetes.issuer`")
        for name, caller in self.callers.items():
            if caller.service_account and self.kubernetes is None:
                faults.append(f"callers.{name}.service_account: requires the section `kubernetes`")
            if caller.oidc_subject and self.oidc is None:
                faults.append(f"callers.{name}.oidc_subject: requires the section `oidc`")
        return faults

    def _webhooks(self) -> list[str]:
        return [
            f"callers.{name}.{fault}"
            for name, caller in self.callers.items()
            if caller.webhook
            for fault in refused(caller.webhook, caller.scopes, self.webhooks.hosts)
        ]

    def _shared_identities(self) -> list[str]:
        seen: dict[tuple[str, str], str] = {}
        faults = []
        for name, caller in self.callers.items():
            single = {
                "service_account": caller.service_account,
                "oidc_subject": caller.oidc_subject,
            }
            identities = [("keys_sha256", digest) for digest in caller.keys_sha256]
            identities += [(key, value) for key, value in single.items() if value]
            for identity in identities:
                other = seen.setdefault(identity, name)
                if other != name:
                    what = "a key" if identity[0] == "keys_sha256" else "it"
                    faults.append(f"callers.{name}.{identity[0]}: shares {what} with {other}")
        return faults
