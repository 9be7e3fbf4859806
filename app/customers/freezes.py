"""Freezes and unfreezes a customer, and settles a lost answer (mc_00021, mc_00027, mc_00028)."""

from collections.abc import Mapping
from typing import Any

from app.customers.reads import find_customer
from app.errors import ErrorCode, GatewayError, Retry
from app.huawei.operation import ByNothing, Operation
from app.huawei.pacing.deadline import Errand
from app.huawei.partner_center import PartnerCenter
from app.observability import metrics
from app.writes import AS_IT_IS, UNCLEAR, Attempt, Write, Writes, look

FREEZE, UNFREEZE = "FREEZE", "UNFREEZE"
ACCOUNT, RESOURCES, UNKNOWN = "ACCOUNT", "ACCOUNT_AND_RESOURCES", "UNKNOWN"
KINDS = {ACCOUNT: "ACCOUNT", RESOURCES: "ACCOUNT_AND_RESOURCE"}  # with Huawei's words
FROZEN, OPEN = "FROZEN", "OPEN"

# What was sent, of which kind, and the state before it -> the state that proves it. This is the
# only place that decides it; docs/decisions/0014 has the reasons.
PROOFS: Mapping[tuple[str, str, str | None], str] = {
    (FREEZE, ACCOUNT, OPEN): FROZEN,
    (UNFREEZE, ACCOUNT, FROZEN): OPEN,
    (UNFREEZE, RESOURCES, FROZEN): OPEN,
}


def kind_of(resources: bool) -> str:
    """The kind of a freeze, by whether it stops the customer's services as well."""
    return RESOURCES if resources else ACCOUNT


def _operation(name: str, path: str) -> Operation:
    return Operation(name=name, method="POST", path=path, writes=True, success=ByNothing())


_OPERATIONS = {
    FREEZE: _operation("freeze_customer", "/v2/partners/sub-customers/freeze"),
    UNFREEZE: _operation("unfreeze_customer", "/v2/partners/sub-customers/unfreeze"),
}
LAST_FREEZE = "freeze"  # the name of the stored kind; no call of Huawei reports the kind


class Freezes:
    """The freezes of one account's customers.

    Args:
        name: The account's name in the configuration.
        partner_center: Partner Center.
        writes: Runs each write once, and one at a time for a customer.
    """

    def __init__(self, name: str, partner_center: PartnerCenter, writes: Writes) -> None:
        self._name = name
        self._partner_center = partner_center
        self._writes = writes

    def freeze(self, write: Write) -> tuple[Mapping[str, Any], bool]:
        """Freeze a customer.

        Args:
            write: The write. Its body is `reason` and, where the caller gave it, `resources`.

        Returns:
            The answer, and whether it is that of an earlier request.

        Raises:
            GatewayError: the failure of the call.
        """
        return self._writes.run(write, self._freeze, AS_IT_IS)

    def unfreeze(self, write: Write) -> tuple[Mapping[str, Any], bool]:
        """Unfreeze a customer. Huawei accepts this only with the kind of the freeze (mc_00028).

        Args:
            write: As of a freeze. Without `resources` the kind is the one that is remembered, or
                else ACCOUNT.

        Returns:
            The answer with the kind of the freeze, or UNKNOWN; and whether it is that of an
            earlier request.

        Raises:
            GatewayError: the failure of the call.
        """
        return self._writes.run(write, self._unfreeze, AS_IT_IS)

    def _freeze(self, attempt: Attempt) -> Mapping[str, Any]:
        write = attempt.write
        kind = kind_of(write.body.get("resources", False))
        remembered = self._writes.kind(write.subject, LAST_FREEZE)
        if remembered != kind:
            self._writes.remember(write.subject, LAST_FREEZE, None)  # this freeze may replace it
        try:
            self._send(attempt, kind, {"freeze_type": KINDS[kind]})
        except GatewayError as error:
            if error.code.write_retry is not Retry.SAME_KEY:
                self._writes.remember(write.subject, LAST_FREEZE, remembered)
            raise
        # Huawei does not document whether a freeze changes the kind of a frozen customer.
        if attempt.before == OPEN:
            self._writes.remember(write.subject, LAST_FREEZE, kind)
        return {"customer_id": write.subject, "frozen": True}

    def _unfreeze(self, attempt: Attempt) -> Mapping[str, Any]:
        write = attempt.write
        remembered = self._writes.kind(write.subject, LAST_FREEZE)
        resources = write.body.get("resources")
        kind = (remembered or ACCOUNT) if resources is None else kind_of(resources)
        self._send(attempt, kind, {"unfreeze_type": KINDS[kind]})
        self._writes.remember(write.subject, LAST_FREEZE, None)
        freeze = kind if kind == remembered else UNKNOWN
        return {"customer_id": write.subject, "frozen": False, "freeze": freeze}

    def _send(self, attempt: Attempt, kind: str, asked: Mapping[str, str]) -> None:
        """Send the write, unless the state proves that an earlier try of it was processed.

        Raises:
            GatewayError: the failure of the call, if the state does not prove the write.
        """
        write = attempt.write
        now, earlier = self._state_before(attempt), attempt.earlier
        attempt.before = now if earlier is None or earlier.before is None else earlier.before
        proof = PROOFS.get((write.kind, kind, attempt.before))
        if proof is not None and now == proof:
            return
        if write.kind == FREEZE:
            metrics.FREEZES.labels(self._name, write.errand.caller, kind).inc()
        attempt.sending()
        body = {"customer_ids": [write.subject], "reason": write.body["reason"], **asked}
        operation, errand = _OPERATIONS[write.kind], write.errand
        try:
            self._partner_center.call(operation, errand=errand, customer=write.subject, body=body)
        except GatewayError as error:
            if error.code not in UNCLEAR or proof is None:
                raise
            if not look(errand, lambda: self._state(write.subject, errand) == proof or None):
                raise

    def _state_before(self, attempt: Attempt) -> str | None:
        """The state before the write; None if it cannot be read.

        Raises:
            GatewayError: OUTCOME_UNKNOWN if an earlier try may have been processed.
        """
        write, needed = attempt.write, attempt.earlier is not None
        try:
            return self._state(write.subject, write.errand.read_before(needed=needed))
        except GatewayError:
            if not needed:
                return None
            raise GatewayError(ErrorCode.OUTCOME_UNKNOWN, write=True) from None

    def _state(self, customer_id: str, errand: Errand) -> str | None:
        customer = find_customer(self._partner_center, customer_id, errand)
        if customer is None:
            return None
        return FROZEN if customer["frozen"] else OPEN
