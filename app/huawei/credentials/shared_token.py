"""The token of one account in the state that the replicas share."""

import json
import time
from collections.abc import Callable

from app.huawei.iam import SAFE_LIFE, Token
from app.state import Lock, Sealing, State


class SharedToken:
    """One account's token, and the lock for the replica that renews it.

    Args:
        account: The account's name.
        identity: The endpoint, domain and user of the token.
        state: Stores the token.
        sealing: Makes the fingerprint that names the token.
        now: The wall clock, in seconds.
    """

    def __init__(
        self,
        account: str,
        identity: tuple[str, ...],
        state: State,
        sealing: Sealing,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._now = now
        self._key = "token:" + sealing.fingerprint("token", account, *identity)
        # For the replica that renews it. Accounts with one user share it, since IAM locks the user.
        self.lock = Lock(state, "token:" + sealing.fingerprint("lock", *identity))

    def get(self) -> Token | None:
        """The stored token; None if there is none, or it has less than SAFE_LIFE left."""
        document = self._state.get(self._key)
        if document is None:
            return None
        token = Token(**json.loads(document))
        return token if token.expires - SAFE_LIFE > self._now() else None

    def put(self, token: Token) -> None:
        """Store a token until it expires."""
        document = {"text": token.text, "issued": token.issued, "expires": token.expires}
        life = token.expires - self._now()
        if life > 0:
            self._state.put(self._key, json.dumps(document).encode(), life)

    def delete(self, token: Token) -> None:
        """Delete the stored token if it is this token."""
        stored = self.get()
        if stored is not None and stored.text == token.text:
            self._state.delete(self._key)
