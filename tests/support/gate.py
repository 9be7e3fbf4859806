"""An upstream whose answers are held, and submissions to a served gateway that wait for it."""

from __future__ import annotations

import threading
from typing import Any

import requests

from tests.support.gateway import CUSTOMER, PERSON, bearer
from tests.support.gunicorn_process import LIMIT, ServedGateway
from tests.support.raw_upstream import SUCCESS


class Gate:
    """An answer of upstream that is held while the gate is shut."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self._open = threading.Event()
        self._open.set()

    def __call__(self, connection: Any) -> None:
        self.arrived.release()
        if self._open.wait(LIMIT):
            connection.sendall(SUCCESS)

    def open(self) -> None:
        self._open.set()

    def shut(self) -> None:
        self._open.clear()


def submit(gateway: ServedGateway, customer: str = CUSTOMER) -> requests.Response:
    path = f"/v1/customers/{customer}/verifications/individual"
    return gateway.request("POST", path, json=PERSON, headers=bearer())
