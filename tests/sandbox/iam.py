"""A client of the sandbox's IAM, and the bodies of its calls."""

from __future__ import annotations

import copy
from typing import Any

import requests

from tests.support.partner import VERIFIED_INFO, verified_info

PASSWORD = "sandbox-password-not-a-secret"
RIGHT: dict[str, Any] = {
    "auth": {
        "identity": {
            "methods": ["password"],
            "password": {
                "user": {"name": "partner", "password": PASSWORD, "domain": {"name": "partner"}}
            },
        },
        "scope": {"domain": {"name": "partner"}},
    }
}
AGENCY: dict[str, Any] = {
    "auth": {
        "identity": {
            "methods": ["assume_role"],
            "assume_role": {"domain_name": "their-account", "agency_name": "PARTNER01"},
        },
        "scope": {"project": {"name": "ap-southeast-1"}},
    }
}
TEMPORARY: dict[str, Any] = {"auth": {"identity": {"methods": ["token"]}}}


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one value changed, or removed if the new value is None."""
    whole = copy.deepcopy(document)
    *way, last = path.split(".")
    part = whole
    for name in way:
        part = part[name]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return whole


class Iam:
    """A client of the sandbox's IAM."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.url = url
        self.session = session

    def post(self, path: str, document: Any, token: str | None = None) -> requests.Response:
        """Send one call."""
        headers = {} if token is None else {"X-Auth-Token": token}
        return self.session.post(f"{self.url}{path}", json=document, headers=headers, timeout=10)

    def ask(self, document: Any = RIGHT, token: str | None = None) -> requests.Response:
        """Request a token."""
        return self.post("/v3/auth/tokens", document, token)

    def token(self) -> str:
        """Return a new token of the partner."""
        return self.ask().headers["X-Subject-Token"]

    def temporary(self, document: Any, token: str | None) -> requests.Response:
        """Request a temporary access key."""
        return self.post("/v3.0/OS-CREDENTIAL/securitytokens", document, token)

    def verify(self, token: str) -> requests.Response:
        """Send a verified-info with a token."""
        return self.session.put(
            f"{self.url}{VERIFIED_INFO}",
            json=verified_info(),
            headers={"X-Auth-Token": token},
            timeout=10,
        )
