"""The docs page as a person uses it."""

from __future__ import annotations

import json
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement


def _block(operation_id: str) -> str:
    return f"[id^=operations-][id$=-{operation_id}]"


class DocsPage:
    """Swagger UI, once the operations are visible."""

    def __init__(self, chrome: Chrome, url: str) -> None:
        self._chrome = chrome
        chrome.get(f"{url}/docs")
        self.find(".opblock")

    def find(self, selector: str) -> WebElement:
        """The first matching element; waits until it appears."""
        return self._chrome.find_element(By.CSS_SELECTOR, selector)

    def _click(self, selector: str) -> None:
        element = self.find(selector)
        # Otherwise a fixed part of the page could cover the element.
        self._chrome.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def open(self, operation_id: str) -> WebElement:
        """Open an operation; waits until its answers appear."""
        block = _block(operation_id)
        self._click(f"{block} .opblock-summary-control")
        self.find(f"{block} .response[data-code=default]")
        return self.find(block)

    def unfold(self, operation_id: str, code: str) -> WebElement:
        """Show the example of a failure of an open operation."""
        button = f"{_block(operation_id)} button[aria-label='Example of {code}']"
        self._click(button)
        return self.find(f"{_block(operation_id)} .response[data-code='{code}'] .example")

    def authorize(self, key: str) -> None:
        """Enter a caller's key."""
        self._click(".scheme-container .authorize")
        self.find(".auth-container input").send_keys(key)
        self._click(".auth-container button[type=submit]")
        self._click(".auth-container .btn-done")

    def authorized(self) -> bool:
        """Whether the page holds a key."""
        return "unlocked" not in str(
            self.find(".scheme-container .authorize").get_attribute("class")
        )

    def show_answer(self, operation_id: str) -> None:
        """Scroll to the request and the answer."""
        sent = self.find(f"{_block(operation_id)} .responses-inner")
        self._chrome.execute_script("arguments[0].scrollIntoView()", sent)

    def try_out(self, operation_id: str, customer: str) -> tuple[int, Any]:
        """Send an operation on a customer. Returns the status and the body that the page shows."""
        block = _block(operation_id)
        self._click(f"{block} .opblock-summary-control")
        self._click(f"{block} .try-out__btn")
        field = self.find(f"{block} tr[data-param-name=customer_id] input")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(customer)
        self._click(f"{block} .execute")
        answer = f"{block} .live-responses-table tbody"
        status = self.find(f"{answer} .response-col_status").text
        body = self.find(f"{answer} .highlight-code code").text
        return int(status.split()[0]), json.loads(body)
