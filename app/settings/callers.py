"""What there is to configure of the callers, and of who vouches for them."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from app.settings.values import DocumentUrl, File, Name, Pattern, Section

Scope = Literal["verifications:read", "verifications:write", "attachments:write", "operations:read"]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class IssuerSettings(Section):
    """Who vouches for callers by signed tokens, and where its keys are."""

    issuer: str = Field(min_length=1, max_length=512, description="the `iss` of its tokens")
    audience: str = Field(
        min_length=1, max_length=512, description="the `aud` that its tokens must have"
    )
    jwks_file: File | None = Field(None, description="file that holds its key set (JWKS)")
    jwks_url: DocumentUrl | None = Field(
        None, description="where its key set is fetched, in place of a file"
    )
    ca_file: File | None = Field(
        None, description="certificate authorities to trust for `jwks_url`"
    )
    token_file: File | None = Field(
        None, description="file that holds a bearer token to present to `jwks_url`"
    )

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        if (self.jwks_file is None) == (self.jwks_url is None):
            raise ValueError("jwks_file: either it or `jwks_url` is needed")
        return self


class OidcSettings(IssuerSettings):
    """An identity provider."""

    caller_claim: Literal["sub", "azp", "client_id", "appid"] = Field(
        "sub", description="the claim that names the caller: `sub`, `azp`, `client_id` or `appid`"
    )


class CallerSettings(Section):
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
        description="`namespace/name` of its Kubernetes service account; needs `kubernetes`",
    )
    oidc_subject: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="how the identity provider's tokens name it; needs `oidc`",
    )
    customers: Pattern | None = Field(
        None, description="regular expression of the customer ids it may use, e.g. `shop-.*`"
    )
    rate: str | None = Field(
        None,
        pattern=r"^[1-9][0-9]{0,5}/(second|minute|hour)$",
        description="requests granted to the caller, e.g. `5/second`",
    )

    @model_validator(mode="after")
    def _check_identity(self) -> Self:
        if not (self.keys_sha256 or self.service_account or self.oidc_subject):
            raise ValueError("keys_sha256: is missing; a caller needs it, or another identity")
        return self
