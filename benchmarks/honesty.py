"""Checks with the sandbox that every side does the same work as the gateway."""

import sys
from pathlib import Path

import requests

from benchmarks.processes import PROJECT, Process
from benchmarks.servers import KEYS, Server, fastapi, gateway
from demo.local import free_port

PERSON = {
    "full_name": "ZHANG SAN",
    "document": {"type": "PASSPORT", "number": "E1234567"},
    "partner_user_id": "shop-981",
}
WRONG_NUMBER = PERSON | {"document": {"type": "PASSPORT", "number": "E 12-34"}}
# Customer, body, key; the expected status and code.
CASES = (
    ("honest-1", PERSON, KEYS["crm"], 201, None),
    ("honest-2", PERSON, "no-key", 401, "UNAUTHENTICATED"),
    ("honest-3", WRONG_NUMBER, KEYS["crm"], 422, "VALIDATION_FAILED"),
    ("honest-4", PERSON | {"surprise": 1}, KEYS["crm"], 422, "VALIDATION_FAILED"),
    ("code-CBC-5002", PERSON, KEYS["crm"], 404, "CUSTOMER_NOT_FOUND"),
    ("code-CBC-5004", PERSON, KEYS["crm"], 409, "CUSTOMER_NOT_ASSOCIATED"),
)


def check(folder: Path, project: Path = PROJECT) -> None:
    """Run the gateway and its full peers against the sandbox and check their answers.

    Raises:
        RuntimeError: if an answer differs from the expected one.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "sandbox", "--port", str(port)]
    with Process(command, f"{url}/_sandbox/state", folder / "sandbox.log"):
        for side in (
            gateway(folder, url, project=project),
            fastapi(folder, url, "httpx"),
            fastapi(folder, url, "aiohttp"),
        ):
            with side:
                _check(side)


def _check(side: Server) -> None:
    for customer, body, key, status, code in CASES:
        answer = requests.post(
            f"{side.url}/v1/customers/{customer}/verifications/individual",
            json=body,
            headers={"Authorization": f"Bearer {key}"},
            timeout=10,
        )
        found = answer.json()
        verified = found.get("status") == "VERIFIED" and found["customer_id"] == customer
        if answer.status_code != status or found.get("code") != code or (not code and not verified):
            raise RuntimeError(f"{side.name} answered {answer.status_code} {answer.text}")
    lines = side.log.read_text().splitlines()
    if not any("honest-1" in line for line in lines):  # the gateway writes an audit line too
        raise RuntimeError(f"{side.name} does not log a line a request")
