"""Calls to Huawei through a proxy."""

from __future__ import annotations

import ssl
import time

import pytest

from app import create_app
from app.settings import Settings
from tests.huawei.transport.test_reaching import QUICK, unbound
from tests.support.connect_proxy import ConnectProxy
from tests.support.gateway import altered, code, submit
from tests.support.raw_upstream import RawUpstream


@pytest.mark.parametrize("by_tls", [False, True])
def test_the_configured_proxy_carries_the_calls(
    settings: Settings, tls: ssl.SSLContext, ca_file: str, by_tls: bool
) -> None:
    with (
        RawUpstream(tls=tls) as upstream,
        ConnectProxy(tls=tls if by_tls else None) as proxy,
    ):
        changed = altered(settings, endpoint=upstream.url, ca_file=ca_file, proxy=proxy.url)
        client = create_app(changed).test_client()
        assert [submit(client).status_code for _ in range(2)] == [201] * 2
    assert proxy.asked == [upstream.authority]
    assert (len(upstream.requests), upstream.connections) == (2, 1)


def test_an_untrusted_proxy_is_sent_nothing(settings: Settings, tls: ssl.SSLContext) -> None:
    with ConnectProxy(tls=tls) as proxy:
        changed = altered(settings, endpoint="https://127.0.0.1:1", proxy=proxy.url)
        assert code(submit(create_app(changed).test_client())) == "UPSTREAM_UNREACHABLE"
    assert proxy.asked == []


def test_a_proxy_that_does_not_listen_is_reported_as_unreachable(settings: Settings) -> None:
    with unbound() as address:
        changed = altered(
            settings, endpoint="https://127.0.0.1:1", proxy=f"http://{address}", timeouts=QUICK
        )
        assert code(submit(create_app(changed).test_client())) == "UPSTREAM_UNREACHABLE"


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_refuses_the_tunnel_is_reported_as_unreachable(
    settings: Settings, status: int
) -> None:
    with ConnectProxy(refuse=status) as proxy:
        changed = altered(settings, endpoint="https://127.0.0.1:1", proxy=proxy.url)
        assert code(submit(create_app(changed).test_client())) == "UPSTREAM_UNREACHABLE"
    assert len(proxy.asked) == 1


def test_a_proxy_whose_answer_drips_ends_at_the_deadline(settings: Settings) -> None:
    with ConnectProxy(drips=True) as proxy:
        changed = altered(settings, endpoint="https://127.0.0.1:1", proxy=proxy.url, timeouts=QUICK)
        begun = time.monotonic()
        assert code(submit(create_app(changed).test_client())) == "UPSTREAM_UNREACHABLE"
        assert time.monotonic() - begun < 3
