"""Puts the parts of one account's verifications together."""

import threading

from app.events.lease import Lease
from app.events.open_reviews import OpenReviews
from app.huawei.pacing.deadline import Errand
from app.huawei.partner_center import PartnerCenter
from app.settings import AccountSettings
from app.verification.backends import LegacyBackend, ReviewBackend
from app.verification.choice import Choice
from app.verification.migration import Migration
from app.verification.model import Verification
from app.verification.read import Reads
from app.verification.settling import Settling
from app.verification.submit import VERIFICATION, Submissions
from app.verification.switch_off import SwitchOff
from app.writes import Writes


class Verifications:
    """The verifications of one account's customers.

    Args:
        name: The account's name in the configuration.
        account: The account's settings.
        partner_center: Partner Center as the account sees it.
        writes: Sends each write once, and one at a time for a customer.
        switch_off: The belief that Huawei has switched the legacy API off.
        migration: Counts the submissions that the review backend would accept.
        reviews: Records the reviews that are open.
        lease: Held while a replica watches them.
        draining: Is set when the process begins to shut down.
    """

    def __init__(
        self,
        name: str,
        account: AccountSettings,
        partner_center: PartnerCenter,
        writes: Writes,
        switch_off: SwitchOff,
        migration: Migration,
        reviews: OpenReviews,
        lease: Lease,
        draining: threading.Event,
    ) -> None:
        legacy = LegacyBackend(partner_center, account.verification.legacy_numbers)
        review = ReviewBackend(partner_center)

        def read(customer_id: str, errand: Errand) -> Verification:
            """Read a verification, and record whether it is in review."""
            seen = review.read(customer_id, errand)
            reviews.seen(customer_id, seen.status, seen.checked_at.timestamp(), errand.caller)
            return seen

        self.read_once = read
        settling = Settling(read)
        self.choice = Choice(account.verification, legacy, review, switch_off)
        self.submissions = Submissions(
            name, account.platform_id, self.choice, writes, settling, migration, reviews
        )
        self.reads = Reads(
            read,
            reviews,
            lease,
            lambda customer: writes.kind(customer, VERIFICATION),
            account.watch.max_age,
            account.quota.requests_per_second,
            draining,
        )
