"""Calls the gateway and prints a line for each call; verbose, the requests on both sides too."""

import json
import re
import sys
from typing import Any

import requests

from demo.local import KEY, Local

_TOLD = ("code", "status", "requirements", "amount", "frozen", "available", "attachment", "items")


def say(text: str = "") -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()  # a line is read while the next call is under way


def _pretty(body: str | bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return f"({len(body)} bytes)" if body else "(no body)"


def _shortened(headers: dict[str, str]) -> str:
    lines = []
    for name, value in sorted(headers.items()):
        start, found, signature = value.partition("Signature=")
        lines.append(f"{name}: {start}{found}{signature[:8] + '…' if found else ''}")
    return "\n".join(lines)


def _told(answer: dict[str, Any]) -> str:
    """What an answer says, in few words."""
    found = next((name for name in _TOLD if name in answer), "")
    value = answer.get(found, "")
    if isinstance(value, bool):
        return found if value else f"not {found}"
    if found == "items":
        return ", ".join(f"{one['type']} {one.get('status', '')}".strip() for one in value)
    if found == "requirements":
        return f"still needs {', '.join(value)}" if value else "needs nothing more: it may buy"
    return re.sub("[0-9a-f]{32}", "…", str(value))


class Unexpected(Exception):
    """An answer is not the expected one."""


class Show:
    """Calls the gateway and prints the calls.

    Args:
        local: The gateway and the sandbox.
        verbose: Whether to print the requests and answers on both sides.
    """

    def __init__(self, local: Local, *, verbose: bool) -> None:
        self._local = local
        self._verbose = verbose
        self._session = requests.Session()
        self._session.trust_env = False  # ignore the environment's proxies and .netrc
        self._session.headers.update({"Connection": "close", "Authorization": f"Bearer {KEY}"})
        self._seen = 0
        self._next = ""  # the place in the feed of events

    def call(
        self,
        title: str,
        method: str,
        path: str,
        expected: tuple[int, str],
        body: Any = None,
        **headers: str,
    ) -> dict[str, Any]:
        """Send one request.

        Args:
            title: What it does.
            method: The HTTP method.
            path: The path.
            expected: The HTTP status, and a text of the answer.
            body: A picture, or a document.
            **headers: More headers; `_` stands for `-`.

        Returns:
            The answer; empty if it has no body.

        Raises:
            Unexpected: The answer has another status, or does not contain the text.
        """
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        kind = {"Content-Type": "image/png" if isinstance(body, bytes) else "application/json"}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        answered = self._session.request(
            method, f"{self._local.url}{path}", data=content, headers=kind | more, timeout=40
        )
        answer: dict[str, Any] = answered.json() if answered.content else {}
        short = re.sub("[0-9a-f]{32}", "{id}", path.partition("&")[0])
        line = f"{title:<44} {method:<4} {short:<44} {answered.status_code} {_told(answer)}"
        say(line.rstrip())
        if self._verbose:
            asked = "".join(f"\n{name}: {value}" for name, value in more.items())
            say(f"\n--> {method} {path}{asked}\n{_pretty(content)}")
            self._show_upstream()
            location = answered.headers.get("Location")
            say(f"\n<-- {answered.status_code}" + (f"\nLocation: {location}" if location else ""))
            say(f"{_pretty(answered.content)}\n")
        status, text = expected
        if answered.status_code != status or text not in answered.text:
            raise Unexpected(
                f"expected {status} {text}, but the answer is {_pretty(answered.text)}"
            )
        return answer

    def events(self, title: str, kind: str, text: str) -> None:
        """Wait for the next events of a type. The gateway watches Huawei, so this asks nobody.

        Args:
            title: What it waits for.
            kind: The type of the events.
            text: A text of the answer.

        Raises:
            Unexpected: No such event came within 20 seconds.
        """
        after = f"&after={self._next}" if self._next else ""
        path = f"/v1/events?types={kind}{after}"
        self._next = self.call(title, "GET", path, (200, text), Prefer="wait=20")["next"]

    def _show_upstream(self) -> None:
        recorded = self.sandbox("requests")
        if len(recorded) == self._seen:
            say("\n    (nothing was sent to Huawei)")
        for sent in recorded[self._seen :]:
            say(f"\n    to Huawei: {sent['method']} {sent['target']}")
            text = _shortened(sent["headers"])
            if sent["body"]:
                text += "\n\n" + _pretty(sent["body"])
            say("    " + text.replace("\n", "\n    "))
            say(f"    answered:  {sent['status']} {sent['code'] or ''}")
        self._seen = len(recorded)

    def sandbox(self, what: str) -> Any:
        """What a control call of the sandbox answers."""
        url = f"{self._local.sandbox_url}/_sandbox/{what}"
        return self._session.get(url, timeout=5).json()
