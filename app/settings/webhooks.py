"""The settings of webhooks: where each caller's events go, and how they are sent."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from app.settings.values import File, Seconds, Section, WebhookUrl, is_loopback

# A name or an IPv4 address, in the form in which a URL's host is compared.
Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
EventName = Literal["VERIFICATION_ENDED", "CUSTOMER_ASSOCIATED", "BUDGET_USED", "CREDIT_USED"]


class WebhookSettings(Section):
    """The webhook of one caller."""

    url: WebhookUrl = Field(
        description="URL that the events are posted to; its host must be in `webhooks.hosts`"
    )
    secret_file: File = Field(
        description="file that holds the secret which signs, `whsec_` and the base64 of 24 to 64 "
        "random bytes; while it is rotated two secrets, one a line, and both sign"
    )
    event_types: frozenset[EventName] = Field(
        min_length=1, description="types of the events that are sent"
    )
    ca_file: File | None = Field(
        None, description="file of the certificate authorities to trust for an https `url`"
    )
    insecure: bool = Field(False, description="allow plain http inside the cluster")

    @property
    def host(self) -> str:
        """The host of the URL."""
        return urlsplit(self.url).hostname or ""

    @model_validator(mode="after")
    def _check_transport(self) -> Self:
        secure = urlsplit(self.url).scheme == "https"
        if not (secure or self.insecure or is_loopback(self.host)):
            raise ValueError("url: must be https; plain http requires `insecure: true`")
        if self.ca_file and not secure:
            raise ValueError("ca_file: requires an https `url`")
        if self.insecure and secure:
            raise ValueError("insecure: has no effect with an https `url`")
        return self


class WebhooksSettings(Section):
    """How webhooks are sent."""

    hosts: tuple[Host, ...] = Field(
        (),
        description="hosts that webhooks may go to, without port; the gateway looks up and "
        "connects to no other host for a webhook",
    )
    in_flight: int = Field(
        4, ge=1, le=100, description="number of events that are on their way to one caller at once"
    )
    timeout: Seconds = Field(
        10.0, description="seconds for one try, from the look-up of the name to the whole answer"
    )


def refused(webhook: WebhookSettings, scopes: frozenset[str], hosts: Sequence[str]) -> list[str]:
    """What is wrong with a caller's webhook beside its other settings, as `key: rule`.

    Args:
        webhook: The webhook.
        scopes: The scopes of its caller.
        hosts: The hosts that webhooks may go to.
    """
    faults = []
    if "events:read" not in scopes:
        faults.append("scopes: the webhook requires `events:read`")
    if webhook.host not in hosts:
        faults.append("webhook.url: its host is not in `webhooks.hosts`")
    return faults
