"""One contract above the generations of Huawei's API; chooses the one that serves a request."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from app.errors import ErrorCode, FieldError, GatewayError
from app.partner_center.client import PartnerCenter
from app.partner_center.signing import utc_now
from app.settings import AccountSettings
from app.verification import legacy
from app.verification.model import Kind, Status, Verification

__all__ = ["Kind", "Status", "Verification", "Verifications"]


class Verifications:
    """The verifications of one account's customers.

    Args:
        account: The account's settings.
        partner_center: Partner Center as the account sees it.
        now: The clock.
    """

    def __init__(
        self,
        account: AccountSettings,
        partner_center: PartnerCenter,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._account = account
        self._partner_center = partner_center
        self._now = now

    def submit(self, kind: Kind, customer_id: str, submission: Mapping[str, Any]) -> Verification:
        """Submit a customer's verification, in the words of the contract.

        Raises:
            GatewayError: naming the fields if the backend's rules are broken (nothing is sent
                then), or whatever the call upstream ended in.
        """
        ours = {**submission, "customer_id": customer_id, "platform_id": self._account.platform_id}
        schema = legacy.SCHEMAS[kind]
        body = schema.translate(ours)
        _refuse(schema.broken_rules(body))
        if self._account.verification.legacy_numbers == "string":
            body = legacy.as_strings(body)
        self._partner_center.call(legacy.VERIFIED_INFO, body=body)
        return Verification(
            customer_id=customer_id,
            kind=kind,
            status=Status.VERIFIED,
            backend="legacy",
            checked_at=self._now(),
        )


def _refuse(errors: tuple[FieldError, ...]) -> None:
    if not errors:
        return
    unsupported = all(error.code == legacy.UNSUPPORTED for error in errors)
    code = ErrorCode.DOCUMENT_TYPE_UNSUPPORTED if unsupported else ErrorCode.VALIDATION_FAILED
    raise GatewayError(code, errors=errors)
