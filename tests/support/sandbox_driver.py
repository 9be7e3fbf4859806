"""Calls the sandbox's control API over HTTP, as any test program can."""

from __future__ import annotations

from typing import Any

import requests

TIMEOUT_SECONDS = 10


class SandboxDriver:
    """Controls and inspects one running sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def _call(self, method: str, path: str, document: Any = None) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(
                method, f"{self.url}/_sandbox{path}", json=document, timeout=TIMEOUT_SECONDS
            )
        if not response.ok:
            raise ValueError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()

    def reset(self) -> None:
        """Restore the start state and release hanging calls."""
        self._call("POST", "/reset")

    def state(self) -> dict[str, Any]:
        """Return settings, counts, locks and customers."""
        state: dict[str, Any] = self._call("GET", "/state")
        return state

    def settings(self, **settings: Any) -> None:
        """Change settings; the others stay."""
        self._call("PATCH", "/settings", settings)

    def clock(self, offset_seconds: float) -> None:
        """Set the sandbox's clock this far from the machine's."""
        self._call("PUT", "/clock", {"offset_seconds": offset_seconds})

    def fault(self, operation: str, kind: str, **parameters: Any) -> None:
        """Activate a fault; count=1 limits it to the next call."""
        self._call("POST", "/faults", {"operation": operation, "kind": kind, **parameters})

    def faults(self) -> list[dict[str, Any]]:
        """Return the active faults."""
        faults: list[dict[str, Any]] = self._call("GET", "/faults")
        return faults

    def clear_faults(self, customer: str | None = None) -> None:
        """End every fault, or those of one customer, and release hanging calls."""
        self._call("DELETE", f"/faults?customer={customer}" if customer else "/faults")

    def requests(self, operation: str | None = None) -> list[dict[str, Any]]:
        """Return every upstream request since the reset, or those of one operation."""
        seen: list[dict[str, Any]] = self._call("GET", "/requests")
        return [entry for entry in seen if operation in (None, entry["operation"])]

    def received(self, operation: str) -> bool:
        """Whether a request of an operation arrived whole: `requests` shows it from its head on.

        A fault meets whole requests only.
        """
        return any(one["body"] or one["method"] == "GET" for one in self.requests(operation))

    def submissions(self) -> list[dict[str, Any]]:
        """Return every upstream request except reads of a customer's state."""
        return [entry for entry in self.requests() if entry["operation"] != "result"]

    def processed(self, operation: str | None = None) -> int:
        """Count the processed requests, whatever their answers."""
        return sum(entry["processed"] for entry in self.requests(operation))

    def forget_requests(self) -> None:
        """Empty the list of requests."""
        self._call("DELETE", "/requests")

    def access_keys(self, **keys: dict[str, Any]) -> None:
        """Replace the known access keys: AK={"secret_key": ...}."""
        self._call("PUT", "/access-keys", keys)

    def unlock(self) -> None:
        """Unlock every access key."""
        self._call("POST", "/access-keys/unlock")

    def revoke_tokens(self, reason: str = "expired") -> None:
        """Refuse every token issued so far: expired, decrypt, APIGW.0307, CBC.0154, IAM.0066..."""
        self._call("POST", "/tokens/revoke", {"as": reason})

    def review(self, customer_id: str, result: str, opinion: str | None = None) -> None:
        """Set a customer's review to passed, rejected or in_review."""
        self._call("PUT", f"/reviews/{customer_id}", {"result": result, "opinion": opinion})

    def customer(self, customer_id: str, **account: Any) -> None:
        """Associate a customer with the partner, or change its account."""
        self._call("PUT", f"/customers/{customer_id}", account)

    def customers(self, *customer_ids: str, in_review: bool = False) -> None:
        """Associate many customers at once, with or without an open review."""
        self._call("POST", "/customers", {"customer_ids": customer_ids, "in_review": in_review})

    def mails(self, email: str | None = None) -> list[dict[str, Any]]:
        """Return the mails with a verification code, or those to one address."""
        mails: list[dict[str, Any]] = self._call("GET", "/mails")
        return [mail for mail in mails if email in (None, mail["email"])]

    def credit(self, **amounts: str) -> None:
        """Change the partner's credit."""
        self._call("PUT", "/credit", amounts)

    def bill(self, month: str, **amounts: str) -> None:
        """Change the sum of the partner's bill of a month."""
        self._call("PUT", f"/bills/{month}", amounts)

    def order(self, order_id: str, **order: Any) -> None:
        """Make an order of a customer, or change it."""
        self._call("PUT", f"/orders/{order_id}", order)

    def resource(self, resource_id: str, **resource: Any) -> None:
        """Make a pay-per-use resource of a customer, or change it."""
        self._call("PUT", f"/resources/{resource_id}", resource)

    def bill_file(self, month: str, **file: Any) -> dict[str, Any]:
        """Put a generated bill file into the bucket; its key, size and sum of amounts."""
        made: dict[str, Any] = self._call("PUT", f"/bill-files/{month}", file)
        return made

    def forget_customer(self, customer_id: str) -> None:
        """Delete everything submitted for a customer."""
        self._call("DELETE", f"/customers/{customer_id}")

    def objects(self) -> list[dict[str, Any]]:
        """Return bucket, key, size, sha256 and content type of every stored object."""
        objects: list[dict[str, Any]] = self._call("GET", "/objects")
        return objects
