"""Tokens of customers, for operations that take the customer's credential only."""

import time
from collections.abc import Callable

from app.errors import GatewayError
from app.partner_center.deadline import Errand
from app.partner_center.iam import SAFE_LIFE, Iam, Token
from app.partner_center.single_flight import SingleFlight
from app.partner_center.tokens import RENEWAL, Tokens

DEAD_TOKEN = ("IAM.0066", "IAM.0067")


class CustomerTokens:
    """The tokens of one account's customers, got with the partner's.

    Args:
        tokens: The partner's token.
        iam: Gives tokens.
        agency: The agency that customers give, which is named like the partner's platform.
        now: The wall clock, in seconds.
    """

    def __init__(
        self, tokens: Tokens, iam: Iam, agency: str, now: Callable[[], float] = time.time
    ) -> None:
        self._tokens = tokens
        self._iam = iam
        self._agency = agency
        self._now = now
        self._flight = SingleFlight()
        self._held: dict[tuple[str, str], Token] = {}

    def token(self, domain_id: str, project: str, within: float = RENEWAL) -> Token:
        """A customer's token, kept for its life.

        Args:
            domain_id: The customer's account id.
            project: The customer's project, by its region's name.
            within: Seconds that this may take.

        Raises:
            GatewayError: UPSTREAM_ACCESS_DENIED where the customer gave no agency.
        """
        wanted = (domain_id, project)
        known = self._held.get(wanted)
        if known is not None and known.expires - SAFE_LIFE > self._now():
            return known
        errand = Errand.within(within, domain_id)
        return self._flight.do(wanted, lambda: self._obtain(*wanted, errand))

    def _obtain(self, domain_id: str, project: str, errand: Errand) -> Token:
        try:
            token = self._ask(domain_id, project, errand)
        except GatewayError as error:
            if error.upstream is None or error.upstream.code not in DEAD_TOKEN:
                raise
            token = self._ask(domain_id, project, errand)  # with a new token of the partner's
        now = self._now()
        alive = {key: held for key, held in self._held.items() if held.expires > now}
        self._held = {**alive, (domain_id, project): token}
        return token

    def _ask(self, domain_id: str, project: str, errand: Errand) -> Token:
        partner = self._tokens.token(errand.left)
        errand.check(write=False)
        try:
            return self._iam.customer_token(
                partner, domain_id, self._agency, project, self._now(), errand.left
            )
        except GatewayError as error:
            if error.upstream is not None and error.upstream.code in DEAD_TOKEN:
                self._tokens.drop(partner)
            raise
