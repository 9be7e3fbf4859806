"""The settings of the sandbox: behaviour that tests change or Huawei does not document."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .codes import known

PARTNER_ID = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
PLATFORM_ID = "PARTNER01"
IAM_DOMAIN = "partner"
IAM_USER = "partner"
IAM_PASSWORD = "sandbox-password-not-a-secret"  # noqa: S105 - public by design, never a real one
REGION = "ap-southeast-1"
BUCKET = "kyc"


class InvalidControl(Exception):
    """A control call is not valid; the text says why."""


@dataclass(slots=True)
class Settings:
    """All settings with their start values."""

    # Documented for the v2 real-name calls (Huawei's throttling page); assumed for the others.
    requests_per_second: int | None = 10
    # The verified-info page prints no HTTP status for CBC.5001 to CBC.5006.
    legacy_failure_status: int = 200
    # It is not confirmed whether the v2 result shows a verification by verified-info.
    result_shows_legacy: bool = True
    # Huawei publishes no review time. None: a review ends by a control call only.
    review_seconds: float | None = 2
    is_review: int = 1
    # No code is documented for an attachment that is not in the bucket. None: not checked.
    missing_attachment_code: str | None = None
    legacy: Literal["served", "retired", "gone"] = "served"
    # IAM tokens are valid for 24 hours (IAM API reference).
    token_seconds: float = 86400
    # It is not documented that the answer with a token always has both times.
    times_shown: Literal["both", "expires_at", "none"] = "both"
    # The account's login policy sets the number of tries.
    password_tries: int = 5
    # "The bucket name must be placed in front of the domain" (OBS API reference, obs_04_0007).
    obs_addressing: Literal["virtual-host", "path", "both"] = "virtual-host"
    # Huawei publishes no time until an account is associated. None: by a control call only.
    association_seconds: float | None = 2
    # China's list; whether it counts by address or by partner is not confirmed: by address here.
    codes_per_hour: int = 15
    codes_per_day: int = 60
    # No page prints a code for an e-mail that another account has. This one is for an e-mail that
    # Huawei registered itself.
    email_taken_code: str = "CBC.99000051"
    # 200 or 204: not confirmed for freeze, unfreeze and the budget, which answer nothing.
    write_status: int = 200
    # Not confirmed: the answer to a freeze of a frozen customer, and to an unfreeze of one that is
    # not frozen. None: success.
    same_state_code: str | None = None
    # Not confirmed: the code for an unfreeze of the other kind than the freeze.
    unfreeze_mismatch_code: str = "CBC.0100"
    # Not confirmed: the answer for a customer without a budget. None: an amount of zero.
    no_budget_code: str | None = None
    # Not confirmed: the order of the records of a budget.
    newest_record_first: bool = True
    # Not documented: the answer for a month that has no bill yet.
    no_bill_code: str = "CBC.0100"

    def change(self, document: Mapping[str, Any]) -> None:
        """Change settings: all of them, or none if one is not valid.

        Raises:
            InvalidControl: a name or a value is not valid.
        """
        for name, value in document.items():
            check = _CHECKS.get(name)
            if check is None:
                raise InvalidControl(
                    f"the setting {name!r} is unknown; the settings are {sorted(_CHECKS)}"
                )
            if not check(value):
                raise InvalidControl(f"setting {name} cannot be {value!r}")
        for name, value in document.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """Return all settings with their current values."""
        return asdict(self)


def is_integer(value: Any) -> bool:
    """Whether a value is a JSON integer; true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is a JSON number; NaN and Infinity are not."""
    return is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def _status(value: Any) -> bool:
    return is_integer(value) and 200 <= value <= 599


def _code(value: Any) -> bool:
    return isinstance(value, str) and known(value)


def _positive(value: Any) -> bool:
    return is_integer(value) and value > 0


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "requests_per_second": lambda value: value is None or (is_integer(value) and value > 0),
    "legacy_failure_status": _status,
    "result_shows_legacy": lambda value: isinstance(value, bool),
    "review_seconds": lambda value: value is None or (is_number(value) and value >= 0),
    "is_review": lambda value: is_integer(value) and value in (0, 1),
    "missing_attachment_code": lambda value: value is None or _code(value),
    "legacy": lambda value: value in ("served", "retired", "gone"),
    "token_seconds": lambda value: is_number(value) and value > 0,
    "times_shown": lambda value: value in ("both", "expires_at", "none"),
    "password_tries": _positive,
    "obs_addressing": lambda value: value in ("virtual-host", "path", "both"),
    "association_seconds": lambda value: value is None or (is_number(value) and value >= 0),
    "codes_per_hour": _positive,
    "codes_per_day": _positive,
    "email_taken_code": _code,
    "write_status": lambda value: is_integer(value) and value in (200, 204),
    "same_state_code": lambda value: value is None or _code(value),
    "unfreeze_mismatch_code": _code,
    "no_budget_code": lambda value: value is None or _code(value),
    "newest_record_first": lambda value: isinstance(value, bool),
    "no_bill_code": _code,
}
