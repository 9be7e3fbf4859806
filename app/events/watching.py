"""Puts the parts of one account's watcher together."""

import threading
import time
from collections.abc import Callable

from app.events.amount_reads import WATCH_BUDGETS, WATCH_CREDIT, BudgetReads, CreditReads
from app.events.amounts import Amounts
from app.events.associations import LIST_ASSOCIATED, AssociationReads, Associations
from app.events.book import Book
from app.events.lane import Lane
from app.events.lease import Lease
from app.events.open_reviews import OpenReviews
from app.events.report import Report
from app.events.results import ResultReads, Seen
from app.events.sweep import LIST_STATUSES, Sweep
from app.events.watcher import Duty, Watcher
from app.huawei.operation import Operation
from app.huawei.pacing.deadline import Errand
from app.huawei.partner_center import PartnerCenter
from app.huawei.review_result import READ_RESULT
from app.settings import AccountSettings
from app.state import State


def watcher(
    name: str,
    account: AccountSettings,
    state: State,
    lease: Lease,
    reviews: OpenReviews,
    report: Report,
    associations: Associations,
    amounts: Amounts,
    partner_center: PartnerCenter,
    read: Callable[[str, Errand], Seen],
    draining: threading.Event,
    now: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> Watcher:
    """The watcher of an account.

    Args:
        name: The account's name in the configuration.
        account: Its settings.
        state: Counts the calls of all replicas.
        lease: Held by one replica.
        reviews: The record of the open reviews.
        report: Tells every replica how the watch goes.
        associations: The customers whose association is under way.
        amounts: The budgets and the credit that are watched.
        partner_center: Partner Center.
        read: Reads a customer's verification, and records what it shows.
        draining: Is set when the process begins to shut down.
        now: The wall clock, in seconds.
        monotonic: The clock of pauses, in seconds.
    """
    calls = min(account.watch.calls_per_second, account.quota.requests_per_second)

    def lane(operation: Operation, needed: bool = False) -> Lane:
        return Lane(name, operation, calls, state, needed, monotonic)

    book = Book(reviews, report, now, monotonic)
    duties: list[Duty] = [
        # Both lanes are of one API, so they share its part of the quota.
        AssociationReads(lane(LIST_ASSOCIATED), associations, partner_center.read, now, monotonic),
        Sweep(lane(LIST_STATUSES), book, reviews, partner_center.read, now, monotonic),
        ResultReads(name, lane(READ_RESULT, needed=True), book, reviews, read, now, monotonic),
        BudgetReads(lane(WATCH_BUDGETS), amounts, partner_center.read, monotonic),
        CreditReads(lane(WATCH_CREDIT), amounts, partner_center.read, monotonic),
    ]
    return Watcher(lease, duties, draining, monotonic)
