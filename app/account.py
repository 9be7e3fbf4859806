"""Builds the parts of one partner account from its settings. This module does not know Flask."""

import threading
from dataclasses import dataclass
from typing import Self

from app.billing.file import BillFiles
from app.customers.budget import Budgets
from app.customers.create import Creations
from app.customers.freezes import Freezes
from app.customers.reads import CustomerReads
from app.customers.recent import Recent
from app.events import Feed
from app.events.amounts import Amounts
from app.events.associations import Associations
from app.events.lease import Lease
from app.events.open_reviews import OpenReviews
from app.events.report import Report
from app.events.watcher import Watcher
from app.events.watching import watcher
from app.huawei.credentials.credentials import Credentials
from app.huawei.credentials.key_pairs import KeyPairs
from app.huawei.credentials.tokens import Tokens
from app.huawei.iam import Iam
from app.huawei.obs import Bucket
from app.huawei.partner_center import PartnerCenter
from app.observability.exchange import Observe
from app.settings import AccountSettings
from app.state import Sealing, State
from app.verification import Verifications
from app.verification.migration import Migration
from app.verification.switch_off import SwitchOff
from app.writes import Writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all accounts of a gateway share.

    Args:
        state: Stores what replicas share.
        sealing: Protects it.
        feed: Gets the events.
        migration: Counts what callers sent.
        observe: Receives each exchange with Huawei.
        draining: Is set when the process begins to shut down.
    """

    state: State
    sealing: Sealing
    feed: Feed
    migration: Migration
    observe: Observe
    draining: threading.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The parts of one account that serve requests.

    `bucket` is None if the account accepts no attachments, `watcher` if nothing is watched.
    """

    credentials: Credentials
    partner_center: PartnerCenter
    bucket: Bucket | None
    verifications: Verifications
    reviews: OpenReviews
    associations: Associations
    amounts: Amounts
    report: Report
    watcher: Watcher | None
    customers: CustomerReads
    creations: Creations
    budgets: Budgets
    freezes: Freezes
    bill_files: BillFiles

    @classmethod
    def build(cls, name: str, settings: AccountSettings, shared: Shared) -> Self:
        """Build the parts. This sends nothing and starts no thread.

        Args:
            name: The account's name in the configuration.
            settings: Its settings.
            shared: What all accounts share.
        """
        state, sealing, feed = shared.state, shared.sealing, shared.feed
        credentials = _credentials(name, settings, shared)
        partner_center = PartnerCenter(name, settings, credentials, state, shared.observe)
        bucket = (
            Bucket(name, settings, settings.attachments, shared.observe)
            if settings.attachments
            else None
        )
        writes = Writes(name, state, sealing)
        reviews, report = OpenReviews(name, state, feed), Report(name, state)
        associations, amounts = Associations(name, state, feed), Amounts(name, state, feed)
        recent = Recent(name, state, sealing, associations.associating)
        lease = Lease(state, f"the watch of {name}")
        verifications = Verifications(
            name,
            settings,
            partner_center,
            writes,
            SwitchOff(name, state, sealing),
            shared.migration,
            reviews,
            lease,
            shared.draining,
        )
        watches = watcher(
            name,
            settings,
            state,
            lease,
            reviews,
            report,
            associations,
            amounts,
            partner_center,
            verifications.read_once,
            shared.draining,
        )
        return cls(
            credentials=credentials,
            partner_center=partner_center,
            bucket=bucket,
            verifications=verifications,
            reviews=reviews,
            associations=associations,
            amounts=amounts,
            report=report,
            watcher=watches if settings.watch.calls_per_second else None,
            customers=CustomerReads(partner_center, recent, shared.draining),
            creations=Creations(settings, partner_center, writes, recent),
            budgets=Budgets(partner_center, writes, amounts.budget_set),
            freezes=Freezes(name, partner_center, writes),
            bill_files=BillFiles(_bills(name, settings, bucket, shared.observe), settings.bills),
        )


def _credentials(name: str, settings: AccountSettings, shared: Shared) -> Credentials:
    if settings.authentication == "token" and settings.iam:
        iam = Iam(name, settings, settings.iam, shared.observe)
        return Tokens(name, iam, shared.state, shared.sealing)
    return KeyPairs(name, settings.credentials, shared.state, shared.sealing)


def _bills(
    name: str, settings: AccountSettings, bucket: Bucket | None, observe: Observe
) -> Bucket | None:
    """The bucket of an account's bill files: one of their own, or that of the attachments."""
    if settings.bills.bucket is None:
        return bucket
    return Bucket(name, settings, settings.bills.bucket, observe, "bills")
