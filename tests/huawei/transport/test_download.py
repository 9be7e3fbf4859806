"""A download keeps nothing after it is closed."""

from __future__ import annotations

import contextlib

import pytest

from app.errors import GatewayError
from app.huawei.transport import Endpoint
from app.huawei.transport.watch import WATCH
from app.settings import Settings
from tests.support.raw_upstream import SUCCESS, RawUpstream


@pytest.mark.parametrize("sent", [SUCCESS, SUCCESS[:-9]], ids=["whole", "broken off"])
def test_a_closed_download_leaves_no_deadline(settings: Settings, sent: bytes) -> None:
    before = len(WATCH)
    with RawUpstream(lambda connection: connection.sendall(sent)) as upstream:
        endpoint = Endpoint(upstream.url, settings.accounts["default"])
        for _ in range(5):
            reply = endpoint.send("GET", "/", {}, None, writes=False, longest=3600)
            assert reply.rest is not None
            with reply.rest, contextlib.suppress(GatewayError):
                assert len(WATCH) > 0
                while reply.rest.read():
                    pass
    assert len(WATCH) <= before
