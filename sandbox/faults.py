"""Faults that a test requests: failures of the network, a proxy or the service."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from .calls import Call
from .codes import known
from .settings import InvalidControl, is_integer, is_number

Check = Callable[[Any], bool]


def _seconds(value: Any) -> bool:
    return is_number(value) and value >= 0


def _status(value: Any) -> bool:
    return is_integer(value) and 200 <= value <= 599


def _string(value: Any) -> bool:
    return isinstance(value, str)


# Texts that make a JSON document invalid: wrong encodings, a cut letter, a raw line break.
DAMAGES: Mapping[str, bytes] = {
    "gbk": "客户已经实名认证".encode("gbk"),
    "latin-1": "déjà authentifié".encode("latin-1"),
    "cut": "客户已经".encode()[:-1],
    "line_break": b"first line\nsecond line",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: its parameters with defaults, and whether the call is processed.

    `choosable` is False for kinds that need the real answer, and for kinds that exclude it.
    """

    processed: bool
    defaults: Mapping[str, Any] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)
    choosable: bool = True


KINDS: dict[str, Kind] = {
    "latency": Kind(True, {"seconds": 1}, {"seconds": _seconds}, choosable=False),
    "hang": Kind(True, {"seconds": None}, {"seconds": _seconds}),
    "reset": Kind(True),
    "refuse": Kind(False, choosable=False),
    "truncated": Kind(True),
    "html": Kind(False, {"status": 502}, {"status": _status}),
    "empty": Kind(True, {"status": 200}, {"status": _status}),
    "content_type": Kind(True),
    "bad_json": Kind(True),
    "not_object": Kind(True),
    "status": Kind(
        False, {"status": 500, "body": ""}, {"status": _status, "body": lambda _value: True}
    ),
    "code": Kind(
        False,
        {"code": "CBC.0999", "status": None, "message": None},
        {"code": lambda value: _string(value) and known(value), "status": _status}
        | {"message": _string},
    ),
    "throttled": Kind(
        False,
        {"retry_after": None, "code": "APIGW.0308"},
        {"retry_after": is_integer}
        | {"code": lambda value: value is None or (_string(value) and known(value))},
        choosable=False,
    ),
    "damaged_text": Kind(
        True, {"damage": "gbk"}, {"damage": lambda value: value in DAMAGES}, choosable=False
    ),
    "huge": Kind(True),
    "redirect": Kind(False, {"location": "/elsewhere"}, {"location": _string}),
    "slow_body": Kind(True, {"seconds": 2}, {"seconds": _seconds}),
}


@dataclass(slots=True)
class Fault:
    """One fault for the calls of an operation, or of all operations (`*`).

    With a customer it applies only to calls that name this customer id.
    """

    operation: str
    customer: str | None
    kind: str
    count: int | None
    processed: bool
    parameters: dict[str, Any]
    cleared: threading.Event = field(default_factory=threading.Event)

    def as_dict(self) -> dict[str, Any]:
        """Return the fault as the control call shows it."""
        return {
            "operation": self.operation,
            "customer": self.customer,
            "kind": self.kind,
            "count": self.count,
            "processed": self.processed,
            **self.parameters,
        }


class Faults:
    """The active faults, in the order of the requests."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        # A fault without uses left may still delay a call; a reset must release that call.
        self._used_up: list[Fault] = []

    def add(self, document: Mapping[str, Any], operations: frozenset[str]) -> Fault:
        """Read a fault from a document and activate it.

        Raises:
            InvalidControl: the document does not describe a fault.
        """
        fault = _read_fault(document, operations)
        self._faults.append(fault)
        return fault

    def use(self, operation: str, call: Call) -> Fault | None:
        """Return the first fault for this call and count its use; None if there is none."""
        for fault in self._faults:
            if fault.operation in (operation, "*") and _concerns(fault.customer, call):
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count == 0:
                        self._faults.remove(fault)
                        self._used_up.append(fault)
                return fault
        return None

    def clear(self, customer: str | None = None) -> None:
        """End all faults, or the faults of one customer, and release the calls that they delay."""
        for faults in (self._faults, self._used_up):
            ended = [fault for fault in faults if customer in (None, fault.customer)]
            for fault in ended:
                fault.cleared.set()
                faults.remove(fault)

    def as_list(self) -> list[dict[str, Any]]:
        """Return the active faults as the control call shows them."""
        return [fault.as_dict() for fault in self._faults]


def _concerns(customer: str | None, call: Call) -> bool:
    """Whether a call names a customer: a text in its body, a query's value, or a folder of OBS."""
    if customer is None:
        return True
    named = [value for _, value in parse_qsl(call.query)] + unquote(call.path).split("/")
    return customer in named or f'"{customer}"'.encode() in call.body


def _read_fault(document: Mapping[str, Any], operations: frozenset[str]) -> Fault:
    rest = dict(document)
    operation, name, count = rest.pop("operation", None), rest.pop("kind", None), None
    if operation not in operations:
        raise InvalidControl(f"operation must be one of {sorted(operations)}, not {operation!r}")
    if name not in KINDS:
        raise InvalidControl(f"kind must be one of {sorted(KINDS)}, not {name!r}")
    kind = KINDS[name]
    customer = rest.pop("customer", None)
    if not isinstance(customer, str | None):
        raise InvalidControl(f"customer must be a customer id or null, not {customer!r}")
    count = rest.pop("count", None)
    if count is not None and not (is_integer(count) and count > 0):
        raise InvalidControl(f"count must be a positive integer or null, not {count!r}")
    processed = rest.pop("processed", kind.processed)
    if not isinstance(processed, bool) or (processed != kind.processed and not kind.choosable):
        raise InvalidControl(f"{name}: processed cannot be {processed!r}")
    for parameter, value in rest.items():
        if parameter not in kind.checks or not kind.checks[parameter](value):
            raise InvalidControl(f"{name} does not accept {parameter} = {value!r}")
    return Fault(operation, customer, name, count, processed, {**kind.defaults, **rest})
