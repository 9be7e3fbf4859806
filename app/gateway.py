"""Builds the parts of a gateway from its settings. This module does not know Flask."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Self

from app.billing.file import BillFiles
from app.customers.budget import Budgets
from app.customers.create import Creations
from app.customers.freezes import KINDS, Freezes
from app.customers.reads import CustomerReads
from app.customers.recent import Recent
from app.events import Deliveries, EventType, Feed, open_deliveries
from app.events.amounts import Amounts
from app.events.associations import Associations
from app.events.lease import Lease
from app.events.open_reviews import OpenReviews
from app.events.report import Report
from app.events.watcher import Watcher
from app.events.watching import watcher
from app.huawei.credentials.key_pairs import Credentials, KeyPairs
from app.huawei.credentials.tokens import Tokens
from app.huawei.iam import Iam
from app.huawei.obs import Bucket
from app.huawei.partner_center import PartnerCenter
from app.observability import metrics
from app.observability.exchange import Observe
from app.settings import AccountSettings, Settings
from app.state import Sealing, State, open_state
from app.verification import Verifications
from app.verification.migration import Migration
from app.verification.switch_off import SwitchOff
from app.writes import Writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The parts that serve requests. Mappings are by the account's name in the configuration.

    `deliveries` are by the caller's name.
    """

    settings: Settings
    state: State
    sealing: Sealing
    credentials: Mapping[str, Credentials]
    partner_centers: Mapping[str, PartnerCenter]
    buckets: Mapping[str, Bucket]
    verifications: Mapping[str, Verifications]
    reviews: Mapping[str, OpenReviews]
    associations: Mapping[str, Associations]
    amounts: Mapping[str, Amounts]
    reports: Mapping[str, Report]
    watchers: Mapping[str, Watcher]
    customers: Mapping[str, CustomerReads]
    creations: Mapping[str, Creations]
    budgets: Mapping[str, Budgets]
    freezes: Mapping[str, Freezes]
    bill_files: Mapping[str, BillFiles]
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
        accounts = settings.accounts
        state, sealing = open_state(settings.state)
        migration = Migration()
        draining = threading.Event()
        # Create the series at 0, so that `increase()` sees the first event.
        for name, event in product(accounts, metrics.CREDENTIAL_EVENT_NAMES):
            metrics.CREDENTIAL_EVENTS.labels(name, event)
        for caller, rights in settings.callers.items():
            if "customers:freeze" in rights.scopes:
                for name, kind in product(rights.accounts, KINDS):
                    metrics.FREEZES.labels(name, caller, kind)
        for name, kind in product(accounts, EventType):
            metrics.EVENTS.labels(name, kind)
        credentials = {
            name: _credentials(name, account, state, sealing, observe)
            for name, account in accounts.items()
        }
        partner_centers = {
            name: PartnerCenter(name, account, credentials[name], state, observe)
            for name, account in accounts.items()
        }
        buckets = {
            name: Bucket(name, account, account.attachments, observe)
            for name, account in accounts.items()
            if account.attachments
        }
        feed = Feed(state, draining)
        reviews = {name: OpenReviews(name, state, feed) for name in accounts}
        associations = {name: Associations(name, state, feed) for name in accounts}
        recent = {
            name: Recent(name, state, sealing, associations[name].associating) for name in accounts
        }
        reports = {name: Report(name, state) for name in accounts}
        amounts = {name: Amounts(name, state, feed) for name in accounts}
        leases = {name: Lease(state, f"the watch of {name}") for name in accounts}
        writes = {name: Writes(name, state, sealing) for name in accounts}
        verifications = {
            name: Verifications(
                name,
                account,
                partner_centers[name],
                writes[name],
                SwitchOff(name, state, sealing),
                migration,
                reviews[name],
                leases[name],
                draining,
            )
            for name, account in accounts.items()
        }
        return cls(
            settings=settings,
            state=state,
            sealing=sealing,
            credentials=credentials,
            partner_centers=partner_centers,
            buckets=buckets,
            verifications=verifications,
            reviews=reviews,
            reports=reports,
            associations=associations,
            amounts=amounts,
            watchers={
                name: watcher(
                    name,
                    account,
                    state,
                    leases[name],
                    reviews[name],
                    reports[name],
                    associations[name],
                    amounts[name],
                    partner_centers[name],
                    verifications[name].read_once,
                    draining,
                )
                for name, account in accounts.items()
                if account.watch.calls_per_second
            },
            customers={
                name: CustomerReads(upstream, recent[name], draining)
                for name, upstream in partner_centers.items()
            },
            creations={
                name: Creations(account, partner_centers[name], writes[name], recent[name])
                for name, account in accounts.items()
            },
            budgets={
                name: Budgets(upstream, writes[name], amounts[name].budget_set)
                for name, upstream in partner_centers.items()
            },
            freezes={
                name: Freezes(name, upstream, writes[name])
                for name, upstream in partner_centers.items()
            },
            bill_files={
                name: BillFiles(_bills(name, account, buckets, observe), account.bills)
                for name, account in accounts.items()
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
        for name, one in self.watchers.items():
            threading.Thread(target=one.run, name=f"watcher of {name}", daemon=True).start()


def _credentials(
    name: str,
    account: AccountSettings,
    state: State,
    sealing: Sealing,
    observe: Observe,
) -> Credentials:
    if account.authentication == "token" and account.iam:
        return Tokens(name, Iam(name, account, account.iam, observe), state, sealing)
    return KeyPairs(name, account.credentials, state, sealing)


def _bills(
    name: str, account: AccountSettings, buckets: Mapping[str, Bucket], observe: Observe
) -> Bucket | None:
    """The bucket of an account's bill files: one of their own, or that of the attachments."""
    if account.bills.bucket is None:
        return buckets.get(name)
    return Bucket(name, account, account.bills.bucket, observe, "bills")
