"""One browser for all tests: starting it takes as long as most of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome

from demo.local import Local
from tests.browser.chromium import chromium, complaints


@pytest.fixture(scope="session")
def _chrome(served: Local) -> Iterator[Chrome]:  # noqa: ARG001 - see below
    # `served`, so that it ends after the browser: it waits for open connections.
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("no_proxy", "localhost,127.0.0.1")  # to the driver, directly
        with chromium() as chrome:
            yield chrome


@pytest.fixture
def chrome(_chrome: Chrome) -> Chrome:
    """The browser, whose console is empty."""
    _chrome.get("about:blank")
    complaints(_chrome)
    return _chrome
