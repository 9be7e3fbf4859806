"""`make demo`: verifies a customer through the gateway, and shows what crosses the wire."""

import json
import sys
from tempfile import TemporaryFile
from typing import Any

import requests

from demo.local import KEY, Local

PERSON = {
    "full_name": "ZHANG SAN",
    "document": {"type": "PASSPORT", "number": "E1234567"},
    "partner_user_id": "shop-981",
}


def _say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _shortened(headers: dict[str, str]) -> str:
    lines = []
    for name, value in sorted(headers.items()):
        start, found, signature = value.partition("Signature=")
        lines.append(f"{name}: {start}{found}{signature[:8] + '…' if found else ''}")
    return "\n".join(lines)


class Show:
    """Calls the gateway, prints both sides, and counts what was not as announced."""

    def __init__(self, local: Local) -> None:
        self.failures = 0
        self._local = local
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no .netrc
        self._session.headers["Connection"] = "close"
        self._seen = 0

    def call(self, title: str, path: str, body: dict[str, Any], expected: tuple[int, str]) -> None:
        """One request; `expected` is the HTTP status, and the verification's or error's word."""
        _say(f"\n=== {title}\n\n--> POST {path}\n{_pretty(body)}")
        answer = self._session.post(
            f"{self._local.url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=30,
        )
        self._show_upstream()
        answered = answer.json()
        _say(f"\n<-- {answer.status_code} {answer.headers['Content-Type']}\n{_pretty(answered)}")
        status, word = expected
        if (answer.status_code, answered.get("code") or answered.get("status")) != (status, word):
            self.failures += 1
            _say(f"!!! expected {status} {word}")

    def _show_upstream(self) -> None:
        recorded = self._session.get(
            f"{self._local.sandbox_url}/_sandbox/requests", timeout=5
        ).json()
        if len(recorded) == self._seen:
            _say("\n    (nothing was sent to Huawei)")
        for sent in recorded[self._seen :]:
            _say(f"\n    to Huawei: {sent['method']} {sent['target']}")
            text = _shortened(sent["headers"]) + "\n\n" + _pretty(json.loads(sent["body"]))
            _say("    " + text.replace("\n", "\n    "))
            _say(f"    answered:  {sent['status']} {sent['code']}")
        self._seen = len(recorded)


def main() -> int:
    """Run the show; 0 if everything was as announced."""
    with TemporaryFile() as log, Local(log=log) as local:
        show = Show(local)
        individual = "/v1/customers/{}/verifications/individual".format
        show.call("A verification", individual("cust-0001"), PERSON, (201, "VERIFIED"))
        show.call(
            "A refusal: Huawei does not know this customer (CBC.5002)",
            individual("code-CBC-5002"),
            PERSON,
            (404, "CUSTOMER_NOT_FOUND"),
        )
        show.call(
            "A malformed request: a company's document for a person, a space in its number",
            individual("cust-0002"),
            {**PERSON, "document": {"type": "BUSINESS_LICENSE", "number": "E 1234567"}},
            (422, "VALIDATION_FAILED"),
        )
        log.seek(0)
        _say("\n=== The gateway's log\n")
        _say("\n".join(line for line in log.read().decode().splitlines() if '"request"' in line))
    _say(f"\n{'Everything was as announced.' if not show.failures else 'NOT as announced.'}")
    return 1 if show.failures else 0


if __name__ == "__main__":
    sys.exit(main())
