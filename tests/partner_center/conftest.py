"""A Valkey server for gateways that share their state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.state.valkey import Valkey


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    with Valkey() as server:
        yield server


@pytest.fixture
def valkey(valkey_server: Valkey) -> Valkey:
    """The server with nothing in it."""
    valkey_server.clear()
    return valkey_server
