"""The refusals of one IAM user, which the replicas share: no replica repeats what IAM refused."""

from app.state import Sealing, State

REFUSED_LIFE = 86400.0  # seconds for which a replica that starts knows of a refused password
# Seconds in which the replicas together repeat a refused password once: the kubelet writes all
# files of a Secret again when one of them changes, in each pod within about a minute and a half.
REPEAT = 180.0


class IamRefusals:
    """What IAM refused to one user, and until when the replicas request nothing.

    Args:
        identity: The endpoint, domain and user of the tokens.
        state: Shares the refusals.
        sealing: Computes the fingerprints that name them in the state.
    """

    def __init__(self, identity: tuple[str, ...], state: State, sealing: Sealing) -> None:
        self._identity = identity
        self._state = state
        self._sealing = sealing
        self._user = "iam:" + sealing.fingerprint("iam", *identity)

    def fingerprint(self, password: str) -> str:
        """The name of a password of this user. It does not reveal the password."""
        return self._sealing.fingerprint("password", *self._identity, password)

    def refuse(self, password: str) -> None:
        """Remember that IAM refused the password with this fingerprint."""
        self._state.put(self._key(password), b"refused", REFUSED_LIFE)

    def is_refused(self, password: str) -> bool:
        """Whether IAM refused the password with this fingerprint."""
        return self._state.get(self._key(password)) is not None

    def may_repeat(self, password: str) -> bool:
        """Whether this replica may try the password with this fingerprint once more.

        One replica may, in REPEAT: the file changes in each replica, at about the same time.
        """
        if not self._state.add(f"{self._key(password)}:repeated", b"1", REPEAT):
            return False
        self._state.delete(self._key(password))
        return True

    def stop(self, reason: str, seconds: float) -> None:
        """Stop the requests to IAM for a time, in all replicas.

        Args:
            reason: `locked` or `paused`.
            seconds: The length of the pause.
        """
        self._state.put(f"{self._user}:{reason}", b"stopped", seconds)

    def stopped_for(self, reason: str) -> float:
        """Seconds until the pause with this reason ends; 0 if there is none."""
        key = f"{self._user}:{reason}"
        return self._state.left(key) if self._state.get(key) is not None else 0.0

    def _key(self, password: str) -> str:
        return f"iam:{password}:refused"
