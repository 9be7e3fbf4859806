"""One browser for all tests: its start takes as long as most tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome

from demo.local import Local
from tests.support.programs import needed
from tools.browser.chromium import chromium, complaints


@pytest.fixture(scope="session")
def _chrome(served: Local) -> Iterator[Chrome]:  # noqa: ARG001 - see below
    # Depends on `served`, which waits for open connections and so must end after the browser.
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("no_proxy", "localhost,127.0.0.1")  # reach the driver without a proxy
        with chromium(needed("chromedriver"), needed("chromium")) as chrome:
            yield chrome


@pytest.fixture
def chrome(_chrome: Chrome) -> Chrome:
    """The browser with an empty console."""
    _chrome.get("about:blank")
    complaints(_chrome)
    return _chrome
