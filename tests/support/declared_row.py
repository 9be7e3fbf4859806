"""A declared read, as the tests of all declared reads know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """A declared read: its name, our path, the request to Huawei, and both answers.

    `about_one` is whether it is about the customer cust-1 although its path does not say so.
    """

    operation: str
    path: str
    target: str
    huaweis: dict[str, Any]
    ours: dict[str, Any]
    body: dict[str, Any] | None = None
    about_one: bool = False
