"""Sends one event to a caller's webhook, once, and tells how that ended."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from app.errors import ErrorCode, GatewayError
from app.events.feed import Entry
from app.events.signing import SecretError, SecretFile
from app.fields import utc
from app.huawei.transport import Direct, Endpoint
from app.settings import WebhookSettings

CONNECT = 3.0  # seconds, the longest time to connect


class Outcome(StrEnum):
    """How a try ended."""

    DELIVERED = "DELIVERED"
    REFUSED = "REFUSED"  # another status than 2xx; a redirect too
    UNREACHABLE = "UNREACHABLE"  # nothing was sent
    NO_ANSWER = "NO_ANSWER"  # no whole answer in time: the receiver may have the event
    NO_SECRET = "NO_SECRET"  # noqa: S105 - a word: nothing was sent, because nothing can be signed
    FAILED = "FAILED"  # by a fault of the gateway


@dataclass(frozen=True, slots=True)
class Try:
    """A try to deliver an event.

    Args:
        outcome: How it ended.
        status: The HTTP status of the answer; None without an answer.
    """

    outcome: Outcome
    status: int | None = None


def body(entry: Entry) -> str:
    """The body of a webhook: the event as `GET /v1/events` lists it, in the specification's frame.

    Args:
        entry: The event.
    """
    item: dict[str, Any] = {
        name: utc(value) if isinstance(value, datetime) else value
        for name, value in entry.item().items()
        if value is not None
    }
    frame = {"type": item["type"], "timestamp": item["occurred_at"], "data": item}
    return json.dumps(frame, separators=(",", ":"))


class Webhook:
    """The webhook of one caller.

    It connects to the configured host only: it follows no redirect, and ignores the environment's
    proxies and .netrc. What the receiver answers beside the status is not used.

    Args:
        caller: The caller's name.
        settings: The webhook.
        timeout: Seconds for one try.
        now: The wall clock, in seconds.

    Raises:
        OSError: if the certificate authorities cannot be read.
    """

    def __init__(
        self,
        caller: str,
        settings: WebhookSettings,
        timeout: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        parts = urlsplit(settings.url)
        way = Direct.within(timeout, settings.ca_file, connect=CONNECT)
        self._endpoint = Endpoint(f"{parts.scheme}://{parts.netloc}", way)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._secrets = SecretFile(settings.secret_file, caller)
        self._now = now
        self.timeout = timeout

    def send(self, entry: Entry) -> Try:
        """Send an event once. The receiver recognises a repeat by the event's id."""
        content = body(entry)
        sent_at = int(self._now())
        try:
            signature = self._secrets.sign(entry.id, datetime.fromtimestamp(sent_at, UTC), content)
        except SecretError:
            return Try(Outcome.NO_SECRET)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": entry.id,
            "webhook-timestamp": str(sent_at),
            "webhook-signature": signature,
        }
        try:
            ends = time.monotonic() + self.timeout
            reply = self._endpoint.send(
                "POST", self._target, headers, content.encode(), writes=True, ends=ends
            )
        except GatewayError as error:
            sent = error.code is ErrorCode.OUTCOME_UNKNOWN
            return Try(Outcome.NO_ANSWER if sent else Outcome.UNREACHABLE)
        accepted = 200 <= reply.status < 300
        return Try(Outcome.DELIVERED if accepted else Outcome.REFUSED, reply.status)
