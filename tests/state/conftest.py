"""The two states."""

from __future__ import annotations

import pytest

from app.state import MemoryState, State
from tests.support.valkey import Valkey


@pytest.fixture(params=["memory", "shared"])
def state(request: pytest.FixtureRequest) -> State:
    if request.param == "memory":
        return MemoryState()
    found: Valkey = request.getfixturevalue("valkey")
    return found.state()
