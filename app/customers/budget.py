"""Sets a customer's budget, and settles a lost answer (mt_01005, mt_01007)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.customers import answers
from app.customers.answers import LIST_CHANGES, SHOW_BUDGET
from app.customers.freezes import LAST_FREEZE
from app.errors import ErrorCode, GatewayError
from app.huawei.operation import ByNothing, Operation
from app.huawei.paging import entries
from app.huawei.partner_center import PartnerCenter
from app.writes import AS_IT_IS, PAUSES, UNCLEAR, Attempt, Write, Writes, look

PERIODS = {word: code for code, word in answers.PERIODS.items()}
EXCEEDED = {"NOTHING": 0, "FREEZE": 1}
MOST = Decimal(2147483647)

SET_BUDGET = Operation(
    name="set_budget",
    method="POST",
    path="/v2/partners/sub-customers/budget",
    writes=True,
    success=ByNothing(),
)


class Budgets:
    """The budgets of one account's customers.

    Args:
        partner_center: Partner Center.
        writes: Runs each write once, and one at a time for a customer.
        watch: Is told the customer of each budget that was set.
    """

    def __init__(
        self, partner_center: PartnerCenter, writes: Writes, watch: Callable[[str], None]
    ) -> None:
        self._partner_center = partner_center
        self._writes = writes
        self._watch = watch

    def set(self, write: Write) -> tuple[Mapping[str, Any], bool]:
        """Set a customer's budget to an amount.

        Args:
            write: The write. Its body is `amount` and, where the caller gave them, `period`,
                `when_exceeded` and `unfreeze`.

        Returns:
            The budget as Huawei shows it afterwards, and whether it is the answer to an earlier
            request.

        Raises:
            GatewayError: the failure of the call; OUTCOME_UNKNOWN if Huawei accepted the budget
                and does not show it yet.
        """
        return self._writes.run(write, self._set, AS_IT_IS)

    def _set(self, attempt: Attempt) -> Mapping[str, Any]:
        shown = self._send(attempt)
        self._watch(attempt.write.subject)
        return shown

    def _send(self, attempt: Attempt) -> Mapping[str, Any]:
        write, earlier = attempt.write, attempt.earlier
        # After another write, a change can be the effect of that write, so it proves nothing.
        # Without a proof the write is sent: the amount is absolute, so a repeat adds nothing.
        if earlier and earlier.alone and (found := self._look_first(attempt, earlier.sent_at)):
            return found
        if write.body.get("unfreeze"):  # it ends a freeze whose kind is remembered
            self._writes.remember(write.subject, LAST_FREEZE, None)
        attempt.sending()
        try:
            self._partner_center.call(
                SET_BUDGET, errand=write.errand, customer=write.subject, body=self._body(write)
            )
        except GatewayError as error:
            found = None
            if error.code in UNCLEAR:
                found = look(write.errand, lambda: self._find(attempt, attempt.sent_at))
            if found is None:
                raise
            return found
        return self._show(attempt)

    def _body(self, write: Write) -> dict[str, Any]:
        body = write.body
        sent = {
            "customer_id": write.subject,
            "budget_amount": Decimal(body["amount"]).quantize(Decimal("0.01")),
            "cancel_partner_frozen": "1" if body.get("unfreeze") else None,
            "budget_type": PERIODS.get(body.get("period", "")),
            "frozen_operate_type": EXCEEDED.get(body.get("when_exceeded", "")),
        }
        return {name: value for name, value in sent.items() if value is not None}

    def _show(self, attempt: Attempt) -> Mapping[str, Any]:
        """The budget as Huawei shows it, with the amount that was set.

        Raises:
            GatewayError: OUTCOME_UNKNOWN if it is not that amount, or cannot be read.
        """
        write = attempt.write
        amount = Decimal(write.body["amount"])

        def find() -> Mapping[str, Any] | None:
            shown = self._partner_center.read(SHOW_BUDGET, write.errand, customer_id=write.subject)
            return shown if Decimal(shown["amount"]) == amount else None

        found = look(write.errand, find, (0.0, *PAUSES))
        if found is None:
            raise GatewayError(ErrorCode.OUTCOME_UNKNOWN, write=True)
        return found

    def _look_first(self, attempt: Attempt, sent_at: float) -> Mapping[str, Any] | None:
        """The budget, if Huawei lists the change of the earlier try.

        Raises:
            GatewayError: OUTCOME_UNKNOWN if it cannot be read: the earlier try may be processed.
        """
        try:
            return self._find(attempt, sent_at)
        except GatewayError:
            raise GatewayError(ErrorCode.OUTCOME_UNKNOWN, write=True) from None

    def _find(self, attempt: Attempt, sent_at: float) -> Mapping[str, Any] | None:
        """The budget, if a change after the time of sending proves that Huawei set it.

        The amount alone proves nothing: it can have been there before. A change proves it by its
        time, which is Huawei's: if that clock is behind ours, the outcome stays unknown.
        """
        write, begin = attempt.write, datetime.fromtimestamp(int(sent_at), UTC)
        amount = Decimal(write.body["amount"])
        changes = entries(
            self._partner_center, LIST_CHANGES, write.errand, customer_id=write.subject
        )
        for change in changes:  # Huawei does not document their order
            after = change["type"] == "SET" and change["at"] >= begin
            if after and Decimal(change["amount"]) == amount:
                return self._show(attempt)
        return None
