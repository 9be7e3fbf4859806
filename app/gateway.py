"""Builds a gateway from its settings. This module does not know Flask."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Self

from app.account import Account, Shared
from app.customers.freezes import KINDS
from app.events import Deliveries, EventType, Feed, open_deliveries
from app.observability import metrics
from app.observability.exchange import Observe
from app.settings import Settings
from app.state import Sealing, State, open_state
from app.verification.migration import Migration


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The parts that serve requests.

    `accounts` are by the account's name in the configuration, `deliveries` by the caller's.
    """

    settings: Settings
    state: State
    sealing: Sealing
    accounts: Mapping[str, Account]
    migration: Migration
    feed: Feed
    deliveries: Mapping[str, Deliveries]
    draining: threading.Event

    @classmethod
    def build(cls, settings: Settings, observe: Observe) -> Self:
        """Build the parts. This sends nothing and starts no thread.

        Args:
            settings: The configuration.
            observe: Receives each exchange with Huawei.

        Raises:
            ConfigurationError: if the key of the state cannot be read.
        """
        _create_series(settings)
        state, sealing = open_state(settings.state)
        migration, draining = Migration(), threading.Event()
        feed = Feed(state, draining)
        shared = Shared(
            state=state,
            sealing=sealing,
            feed=feed,
            migration=migration,
            observe=observe,
            draining=draining,
        )
        return cls(
            settings=settings,
            state=state,
            sealing=sealing,
            accounts={
                name: Account.build(name, account, shared)
                for name, account in settings.accounts.items()
            },
            migration=migration,
            feed=feed,
            deliveries=open_deliveries(settings, feed, state, draining),
            draining=draining,
        )

    def start(self) -> None:
        """Start the threads that watch and deliver. They end when the gateway drains."""
        for deliveries in self.deliveries.values():
            deliveries.start()
        for name, account in self.accounts.items():
            if account.watcher is not None:
                run, title = account.watcher.run, f"watcher of {name}"
                threading.Thread(target=run, name=title, daemon=True).start()


def _create_series(settings: Settings) -> None:
    """Create the series of an account at 0, so that `increase()` sees the first event."""
    for name, event in product(settings.accounts, metrics.CREDENTIAL_EVENT_NAMES):
        metrics.CREDENTIAL_EVENTS.labels(name, event)
    for caller, rights in settings.callers.items():
        if "customers:freeze" in rights.scopes:
            for name, kind in product(rights.accounts, KINDS):
                metrics.FREEZES.labels(name, caller, kind)
    for name, kind in product(settings.accounts, EventType):
        metrics.EVENTS.labels(name, kind)
