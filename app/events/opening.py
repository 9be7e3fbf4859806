"""Builds the deliveries to the callers that have a webhook."""

import threading
from collections.abc import Mapping

from app.events.deliveries import Deliveries
from app.events.feed import Feed
from app.events.visible import visible_to
from app.events.webhooks import Webhook
from app.settings import Settings
from app.state import State


def open_deliveries(
    settings: Settings, feed: Feed, state: State, draining: threading.Event
) -> Mapping[str, Deliveries]:
    """The deliveries by the caller's name. This sends nothing and starts no thread.

    Args:
        settings: The configuration.
        feed: The events.
        state: Holds what waits.
        draining: Is set when the process begins to shut down.
    """
    sending = settings.webhooks
    return {
        name: Deliveries(
            name,
            Webhook(name, caller.webhook, sending.timeout),
            feed,
            visible_to(caller, caller.accounts, caller.webhook.event_types),
            state,
            draining,
            in_flight=sending.in_flight,
        )
        for name, caller in settings.callers.items()
        if caller.webhook
    }
