"""`make demo`: verifies customers through the gateway and prints the requests on both sides."""

import json
import struct
import sys
import zlib
from tempfile import TemporaryFile
from typing import Any

import requests

from demo.local import KEY, Local

PERSON = {
    "full_name": "ZHANG SAN",
    "document": {"type": "PASSPORT", "number": "E1234567"},
    "partner_user_id": "shop-981",
}


def picture() -> bytes:
    """A PNG of one pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\x00\xff\xff\xff")
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
    )


def _say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")


def _pretty(body: str | bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return f"({len(body)} bytes)"


def _shortened(headers: dict[str, str]) -> str:
    lines = []
    for name, value in sorted(headers.items()):
        start, found, signature = value.partition("Signature=")
        lines.append(f"{name}: {start}{found}{signature[:8] + '…' if found else ''}")
    return "\n".join(lines)


class Show:
    """Calls the gateway, prints both sides, and counts unexpected answers."""

    def __init__(self, local: Local) -> None:
        self.failures = 0
        self._local = local
        self._session = requests.Session()
        self._session.trust_env = False  # ignore the environment's proxies and .netrc
        self._session.headers.update({"Connection": "close", "Authorization": f"Bearer {KEY}"})
        self._seen = 0

    def call(
        self,
        title: str,
        method: str,
        path: str,
        expected: tuple[int, str],
        body: Any = None,
        **headers: str,
    ) -> None:
        """Send one request; `expected` is the HTTP status and a word of the answer."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        kind = {"Content-Type": "image/png" if isinstance(body, bytes) else "application/json"}
        asked = "".join(f"\n{name}: {value}" for name, value in headers.items())
        _say(f"\n=== {title}\n\n--> {method} {path}{asked}")
        _say(_pretty(content) if content else "")
        answer = self._session.request(
            method, f"{self._local.url}{path}", data=content, headers=kind | headers, timeout=40
        )
        self._show_upstream()
        shown = [
            f"{name}: {answer.headers[name]}" for name in ("Location",) if name in answer.headers
        ]
        _say(f"\n<-- {answer.status_code} {answer.headers['Content-Type']}")
        _say("\n".join([*shown, _pretty(answer.content)]))
        status, word = expected
        if answer.status_code != status or f'"{word}"' not in answer.text:
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
            text = _shortened(sent["headers"])
            if sent["body"]:
                text += "\n\n" + _pretty(sent["body"])
            _say("    " + text.replace("\n", "\n    "))
            _say(f"    answered:  {sent['status']} {sent['code'] or ''}")
        self._seen = len(recorded)


def _legacy(show: Show) -> None:
    individual = "/v1/customers/{}/verifications/individual".format
    show.call(
        "A verification: without attachments it goes through the legacy API",
        "POST", individual("cust-0001"), (201, "VERIFIED"), PERSON,
    )  # fmt: skip
    show.call(
        "A refusal: Huawei does not know this customer (CBC.5002)",
        "POST", individual("code-CBC-5002"), (404, "CUSTOMER_NOT_FOUND"), PERSON,
    )  # fmt: skip
    show.call(
        "A malformed request: a company's document for a person, a space in its number",
        "POST", individual("cust-0002"), (422, "VALIDATION_FAILED"),
        {**PERSON, "document": {"type": "BUSINESS_LICENSE", "number": "E 1234567"}},
    )  # fmt: skip


def _review(show: Show, customer: str, end: str) -> None:
    names = ("data-page.png", "holding.png")
    for name in names:
        show.call(
            "An attachment", "PUT", f"/v1/customers/{customer}/attachments/{name}",
            (201, f"{customer}/{name}"), picture(),
        )  # fmt: skip
    show.call(
        "The same request with attachments: a person at Huawei reviews it",
        "POST", f"/v1/customers/{customer}/verifications/individual", (202, "IN_REVIEW"),
        {**PERSON, "attachments": [f"{customer}/{name}" for name in names]},
    )  # fmt: skip
    show.call(
        "Waiting for the end of the review",
        "GET", f"/v1/customers/{customer}/verification", (200, end), Prefer="wait=20",
    )  # fmt: skip


def main() -> int:
    """Run the demonstration. Returns 0 if every answer is the expected one."""
    with TemporaryFile() as log, Local(log=log) as local:
        show = Show(local)
        _legacy(show)
        _review(show, "cust-0003", "VERIFIED")
        _review(show, "review-reject-0004", "REJECTED")
        log.seek(0)
        _say("\n=== The gateway's log\n")
        lines = log.read().decode().splitlines()
        _say("\n".join(line for line in lines if '"event":"request"' in line))
    _say(
        "\nSome answers were NOT expected." if show.failures else "\nEvery answer was as expected."
    )
    return 1 if show.failures else 0


if __name__ == "__main__":
    sys.exit(main())
