"""Creates a customer once, and finds it again after a lost answer."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from app.customers.new_customer import CREATE, NewCustomer, status_of
from app.customers.recent import Recent
from app.customers.rules import REFUSED
from app.errors import ErrorCode, GatewayError
from app.huawei.pacing.deadline import Errand
from app.huawei.partner_center import PartnerCenter
from app.settings import AccountSettings
from app.writes import UNCLEAR, Attempt, Kept, Write, Writes, look

ABSENT = "ABSENT"  # Huawei did not list the customer, and no other creation of it was sent
SEEING = 2.0  # seconds for the look whether a new customer is associated already

# The customer exists or may exist, and its id is not known.
_LOST = UNCLEAR | {ErrorCode.ASSOCIATION_PENDING}
# Huawei may refuse a repeat with these because the earlier try created the customer.
_EXISTS = {ErrorCode.ACCOUNT_NAME_TAKEN, ErrorCode.PARTNER_USER_ID_TAKEN, ErrorCode.EMAIL_TAKEN}
_PROVES = {ErrorCode.ASSOCIATION_PENDING, ErrorCode.PARTNER_USER_ID_TAKEN}  # that it exists
_OF_EARLIER = _EXISTS | {ErrorCode.CODE_EXPIRED}

_LISTED = "Huawei lists the customer with this partner_user_id: `GET /v1/customers/{}`."
_UNPROVEN = f"{_LISTED} The gateway cannot tell whether this request created it."
_NOT_LISTED = "The customer exists, and Huawei does not list it yet."
_TAKEN = (
    "The account name or e-mail address is taken: by the customer of the earlier try, which Huawei "
    "does not list yet, or by another. If this lasts, send another one with a new key."
)
_CODE_USED = (
    "The code has expired, or an earlier try with this Idempotency-Key has used it. Repeat the "
    "request with a new code and the same key."
)

Created = Mapping[str, Any]


class Creations:
    """The creation of one account's customers.

    Args:
        account: The account's settings.
        partner_center: Partner Center.
        writes: Runs each write once, and one at a time for a customer.
        recent: Remembers the created customers.
    """

    def __init__(
        self,
        account: AccountSettings,
        partner_center: PartnerCenter,
        writes: Writes,
        recent: Recent,
    ) -> None:
        self._account = account
        self._partner_center = partner_center
        self._writes = writes
        self._recent = recent

    def create(self, write: Write, private: Mapping[str, str]) -> tuple[Created, bool]:
        """Create a customer.

        Args:
            write: The write, with a key. Its body is what NewCustomer has as `asked`.
            private: What NewCustomer has as `private`. Nothing of it is stored.

        Returns:
            The customer, and whether it is the answer to an earlier request.

        Raises:
            GatewayError: the failure of the call; OUTCOME_UNKNOWN if the customer may exist and
                nothing proves that this request created it.
        """
        new = NewCustomer(self._account, write.body, private)
        kept: Kept[Created] = Kept(
            lambda told: {name: told[name] for name in ("customer_id", "status", "reconciled")},
            lambda _, known: new.told(**known),
        )
        return self._writes.run(write, lambda attempt: self._send(attempt, new), kept)

    def _send(self, attempt: Attempt, new: NewCustomer) -> Created:
        subject, errand, earlier = attempt.write.subject, attempt.write.errand, attempt.earlier
        found = self._look_first(attempt, new)
        attempt.before = earlier.before if earlier else ABSENT if attempt.is_first() else None
        if found is not None:
            return self._conclude(attempt, new, found)
        attempt.sending()
        try:
            created = self._partner_center.call(
                CREATE, errand=errand, customer=subject, body=new.body
            )
        except GatewayError as error:
            return self._settle(attempt, new, error)
        customer_id, status = created["customer_id"], self._status(new, errand)
        self._recent.add(customer_id, status)
        return new.told(customer_id, status)

    def _look_first(self, attempt: Attempt, new: NewCustomer) -> Mapping[str, Any] | None:
        """The customer, if Huawei lists it. Nothing is sent without this look.

        Raises:
            GatewayError: the failure of the look; OUTCOME_UNKNOWN if an earlier try was sent.
        """
        try:
            return new.find(self._partner_center, attempt.write.errand)
        except GatewayError as error:
            if attempt.earlier or (attempt.doubtful and error.code in UNCLEAR):
                raise GatewayError(ErrorCode.OUTCOME_UNKNOWN, write=True) from None
            raise

    def _settle(self, attempt: Attempt, new: NewCustomer, error: GatewayError) -> Created:
        """The answer of a try whose answer was lost, or that the earlier try made impossible.

        Raises:
            GatewayError: the failure, if the customer is not found.
        """
        errand, code, repeated = attempt.write.errand, error.code, attempt.earlier is not None
        if code in _LOST or (repeated and code in _OF_EARLIER):
            found = look(errand, lambda: new.find(self._partner_center, errand))
            if found is not None:
                return self._conclude(attempt, new, found)
        detail, field = None, REFUSED.get(error.upstream.code or "") if error.upstream else None
        if code is ErrorCode.ASSOCIATION_PENDING or (repeated and code in _EXISTS):
            proves = code in _PROVES or new.account_name != new.asked.get("account_name")
            code, detail = ErrorCode.OUTCOME_UNKNOWN, _NOT_LISTED if proves else _TAKEN
        elif repeated and code is ErrorCode.CODE_EXPIRED:
            detail = _CODE_USED
        elif code is ErrorCode.ACCOUNT_NAME_TAKEN and "account_name" not in new.asked:
            code = ErrorCode.PARTNER_USER_ID_TAKEN  # only this partner_user_id makes that name
        elif field is None:
            raise error
        errors = () if field is None else (field,)
        raise GatewayError(code, detail, upstream=error.upstream, errors=errors, write=True)

    def _status(self, new: NewCustomer, errand: Errand) -> str:
        """ASSOCIATED if Huawei says so already; else, and if that cannot be read, ASSOCIATING."""
        own, found = Errand.within(min(SEEING, errand.left), errand.caller, urgent=True), None
        with suppress(GatewayError):
            found = new.find(self._partner_center, own)
        return status_of(found)

    def _conclude(self, attempt: Attempt, new: NewCustomer, found: Mapping[str, Any]) -> Created:
        """The answer of a try, if the customer that Huawei lists can only be its effect."""
        customer_id, sent = found["customer_id"], attempt.sent_at > 0
        if sent and attempt.before == ABSENT:
            self._recent.add(customer_id, status_of(found))
            return new.told(customer_id, status_of(found), reconciled=True)
        code, detail = ErrorCode.PARTNER_USER_ID_TAKEN, _LISTED
        if sent or attempt.doubtful:
            code, detail = ErrorCode.OUTCOME_UNKNOWN, _UNPROVEN
        raise GatewayError(code, detail.format(customer_id), write=True)
