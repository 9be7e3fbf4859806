"""The customers that the gateway created in the last day: Huawei may not list them yet."""

from collections.abc import Callable

from app.customers.answers import ASSOCIATING
from app.state import Sealing, State

KEPT = 24 * 3600.0  # seconds


class Recent:
    """The customers that one account created in the last day.

    Args:
        account: The account's name in the configuration.
        state: Stores keyed fingerprints of their ids for all replicas.
        sealing: Computes the fingerprints.
        associating: Is told each customer whose association is under way.
    """

    def __init__(
        self, account: str, state: State, sealing: Sealing, associating: Callable[[str], None]
    ) -> None:
        self._account = account
        self._state = state
        self._sealing = sealing
        self._associating = associating

    def add(self, customer_id: str, status: str) -> None:
        """Remember a customer that Huawei created, and have its association watched.

        Args:
            customer_id: The customer.
            status: ASSOCIATED or ASSOCIATING.
        """
        self._state.put(self._name(customer_id), b"1", KEPT)
        if status == ASSOCIATING:
            self._associating(customer_id)

    def has(self, customer_id: str) -> bool:
        """Whether the customer is known to be created in the last day."""
        return self._state.get(self._name(customer_id)) is not None

    def _name(self, customer_id: str) -> str:
        return f"created:{self._sealing.fingerprint('created', self._account, customer_id)}"
