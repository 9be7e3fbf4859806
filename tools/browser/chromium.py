"""Debian's Chromium without a window, cut off from every network but the loopback address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

SIZE = 1200, 900
PATIENCE = 15  # seconds for an element to appear, on a busy machine


@contextmanager
def chromium(driver: str, browser: str) -> Iterator[webdriver.Chrome]:
    """A browser with a temporary home and profile.

    Args:
        driver: The path of chromedriver.
        browser: The path of Chromium.
    """
    with TemporaryDirectory(prefix="partner-gateway-chromium-") as home:
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for argument in (
            *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"),
            *("disable-background-networking", "disable-component-update", "disable-sync"),
            "disable-dev-shm-usage",
            "no-proxy-server",
            "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            f"user-data-dir={home}/profile",
        ):
            options.add_argument(f"--{argument}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(driver, env={**os.environ, "HOME": home})
        chrome = webdriver.Chrome(options=options, service=service)
        try:
            chrome.set_window_size(*SIZE)
            chrome.implicitly_wait(PATIENCE)
            yield chrome
        finally:
            chrome.quit()


def complaints(chrome: webdriver.Chrome) -> list[str]:
    """The messages of the browser's console since the last call."""
    entries: list[dict[str, Any]] = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    return [entry["message"] for entry in entries]
