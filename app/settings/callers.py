"""The settings of the callers, and of the issuers of their tokens."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from app.settings.values import DocumentUrl, File, Name, Pattern, Section
from app.settings.webhooks import WebhookSettings

Scope = Literal[
    "verifications:read",
    "verifications:write",
    "attachments:write",
    "customers:read",
    "customers:write",
    "customers:personal",
    "customers:freeze",
    "customers:freeze-resources",
    "budgets:read",
    "budgets:write",
    "billing:read",
    "orders:read",
    "events:read",
    "operations:read",
]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class IssuerSettings(Section):
    """An issuer of signed tokens, and the place of its keys."""

    issuer: str = Field(
        min_length=1, max_length=512, description="the `iss` claim that tokens must have"
    )
    audience: str = Field(
        min_length=1, max_length=512, description="the `aud` claim that tokens must have"
    )
    jwks_file: File | None = Field(None, description="file that holds the issuer's keys (JWKS)")
    jwks_url: DocumentUrl | None = Field(
        None, description="URL of the issuer's keys (JWKS), instead of a file"
    )
    ca_file: File | None = Field(
        None, description="file of the certificate authorities to trust for `jwks_url`"
    )
    token_file: File | None = Field(
        None, description="file that holds a bearer token to send to `jwks_url`"
    )

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        if (self.jwks_file is None) == (self.jwks_url is None):
            raise ValueError("jwks_file: set either this or `jwks_url`")
        if self.jwks_file:
            beside = [key for key in ("ca_file", "token_file") if getattr(self, key) is not None]
            if beside:
                raise ValueError("\n".join(f"{key}: requires `jwks_url`" for key in beside))
        if self.ca_file and not (self.jwks_url or "").startswith("https:"):
            raise ValueError("ca_file: requires an https `jwks_url`")
        return self


class OidcSettings(IssuerSettings):
    """An identity provider."""

    caller_claim: Literal["sub", "azp", "client_id", "appid"] = Field(
        "sub", description="the claim that names the caller: `sub`, `azp`, `client_id` or `appid`"
    )


class CallerSettings(Section):
    """One internal service: its identity and its rights."""

    keys_sha256: tuple[Digest, ...] = Field(
        (),
        max_length=2,
        repr=False,
        description="SHA-256 digests of the caller's keys, in hex; at most two, so that a key can "
        "be rotated",
    )
    scopes: frozenset[Scope] = Field(
        frozenset(), description="rights of the caller; without a scope it has no rights"
    )
    accounts: tuple[Name, ...] = Field(
        ("default",),
        min_length=1,
        description="accounts that the caller may use; the first is its default",
    )
    service_account: str | None = Field(
        None,
        pattern=r"^[a-z0-9.-]{1,63}/[a-z0-9.-]{1,253}$",
        description="`namespace/name` of the caller's Kubernetes service account; requires the "
        "section `kubernetes`",
    )
    oidc_subject: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="the caller's name in the identity provider's tokens (the claim "
        "`oidc.caller_claim`); requires the section `oidc`",
    )
    customers: Pattern | None = Field(
        None,
        description="regular expression of the customer ids that the caller may access, e.g. "
        "`shop-.*`",
    )
    rate: str | None = Field(
        None,
        pattern=r"^[1-9][0-9]{0,5}/(second|minute|hour)$",
        description="rate limit of the caller's requests, e.g. `5/second`",
    )
    max_budget: str | None = Field(
        None,
        pattern=r"^[1-9][0-9]{0,9}(\.[0-9]{1,2})?$",
        description="largest budget that the caller may set for a customer, e.g. `1000.00`; a "
        "larger one is FORBIDDEN",
    )
    max_waiting: int = Field(
        500,
        ge=1,
        le=2000,
        description="number of the caller's requests that one replica has in progress at once; "
        "further ones are refused with OVERLOADED",
    )
    webhook: WebhookSettings | None = Field(
        None,
        description="where the gateway posts the events that the caller may read; requires the "
        "scope `events:read`",
    )

    @model_validator(mode="after")
    def _check_identity(self) -> Self:
        if not (self.keys_sha256 or self.service_account or self.oidc_subject):
            raise ValueError(
                "keys_sha256: is missing; set this, `service_account` or `oidc_subject`"
            )
        return self
