"""Webhooks that the gateway refuses: changes of a valid configuration."""

from __future__ import annotations

from typing import Any

from tests.support.config_file import SECRET

HOOK = {
    "url": "https://shop.internal/hooks",
    "secret_file": "/run/hook",
    "event_types": ["VERIFICATION_ENDED"],
}
# A valid webhook of the caller `writer`.
HOOKED: dict[str, Any] = {
    "callers.writer.scopes": ["events:read"],
    "callers.writer.webhook": HOOK,
    "webhooks": {"hosts": ["shop.internal"]},
}


def _hook(**changes: Any) -> dict[str, Any]:
    """The valid webhook with changes; `...` removes a setting."""
    hook = {key: value for key, value in (HOOK | changes).items() if value is not ...}
    return {**HOOKED, "callers.writer.webhook": hook}


# A webhook that is refused, and its setting to change.
_PATH = "callers.writer.webhook"
REFUSED_WEBHOOKS: list[tuple[dict[str, Any], str]] = [
    (HOOKED | {"webhooks": {"hosts": []}}, f"{_PATH}.url"),
    (HOOKED | {"webhooks": {"hosts": ["internal", "x.shop.internal"]}}, f"{_PATH}.url"),
    (HOOKED | {"callers.writer.scopes": ["verifications:read"]}, "callers.writer.scopes"),
    (_hook(url="https://elsewhere.example/hooks"), f"{_PATH}.url"),
    (_hook(url="https://shop.internal.example/hooks"), f"{_PATH}.url"),
    (_hook(url="https://shop.internal./hooks"), f"{_PATH}.url"),
    (_hook(url="https://169.254.169.254/latest"), f"{_PATH}.url"),
    (_hook(url="http://shop.internal/hooks"), f"{_PATH}.url"),
    (_hook(url="ftp://shop.internal/hooks"), f"{_PATH}.url"),
    (_hook(url="https://"), f"{_PATH}.url"),
    (_hook(url="https://shop.internal:99999/"), f"{_PATH}.url"),
    (_hook(url=f"https://me:{SECRET}@shop.internal/hooks"), f"{_PATH}.url"),
    (_hook(url="https://shop.internal@elsewhere.example/hooks"), f"{_PATH}.url"),
    (_hook(url="https://shop.internal/hooks#now"), f"{_PATH}.url"),
    (_hook(url="https://shop.internal/ hooks"), f"{_PATH}.url"),
    (_hook(url="https://shop.internal/\u00e9"), f"{_PATH}.url"),
    (_hook(url="http://shop.internal/h", insecure=True, ca_file="/run/ca"), f"{_PATH}.ca_file"),
    (_hook(url="https://shop.internal/h", insecure=True), f"{_PATH}.insecure"),
    (_hook(url=...), f"{_PATH}.url"),
    (_hook(secret_file=...), f"{_PATH}.secret_file"),
    (_hook(secret_file=f"whsec_{SECRET}"), f"{_PATH}.secret_file"),
    (_hook(secret=SECRET), f"{_PATH}.secret"),
    (_hook(event_types=...), f"{_PATH}.event_types"),
    (_hook(event_types=[]), f"{_PATH}.event_types"),
    (_hook(event_types=["VERIFICATION_BEGAN"]), f"{_PATH}.event_types.0"),
]
