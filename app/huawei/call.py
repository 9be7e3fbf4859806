"""One call of an operation, on its way through the parts that send it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.huawei.operation import Operation
from app.huawei.pacing.breaker import Permit
from app.huawei.pacing.deadline import Errand


@dataclass(slots=True)
class Call:
    """One call of an operation."""

    operation: Operation
    query: Sequence[tuple[str, str]]
    body: Mapping[str, Any] | None
    errand: Errand
    customer: str | None  # never logged or counted
    permit: Permit | None = None  # of the circuit; None if the circuit is not involved
    tries: int = 0  # on the network
