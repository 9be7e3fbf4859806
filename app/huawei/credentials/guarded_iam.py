"""Asks IAM for the partner's token, and never twice with a wrong password, for that locks."""

import logging
import time
from collections.abc import Callable

from app.errors import ErrorCode, GatewayError
from app.huawei.iam import Iam, Token
from app.observability import metrics
from app.observability.logs import event, logger

# A wrong password comes in the keystone shape without a code, or as one of these.
WRONG_PASSWORD = (None, "IAM.0062", "IAM.0063")
USER_LOCKED = "IAM.0061"
LOCK_PAUSE = 900.0  # seconds after "user locked"; how long IAM locks is the account's own policy
REFUSED_PAUSE = 60.0  # seconds after a refusal that is not about the password

_log = logger("credentials")


class GuardedIam:
    """IAM for the partner's own token.

    Args:
        account: The account's name.
        iam: Gives tokens.
        now: The wall clock, in seconds.
    """

    def __init__(self, account: str, iam: Iam, now: Callable[[], float] = time.time) -> None:
        self._account = account
        self._iam = iam
        self._now = now
        self._wrong: tuple[int, int] | None = None
        self._pauses_until = 0.0
        self._locked_until = 0.0

    @property
    def locked(self) -> bool:
        """Whether IAM has the user locked, as far as is known."""
        return self._now() < self._locked_until

    @property
    def refused(self) -> bool:
        """Whether IAM called the password wrong that is mounted, as far as is known."""
        return self._wrong is not None

    @property
    def password_mounted(self) -> bool:
        """Whether there is a password to ask with."""
        return self._iam.password_file.is_file()

    def pause(self) -> None:
        """Ask nothing for a while: what IAM gives is of no use."""
        self._pauses_until = self._now() + REFUSED_PAUSE

    def ensure_allowed(self) -> None:
        """See whether IAM may be asked.

        Raises:
            GatewayError: UPSTREAM_ACCESS_DENIED.
        """
        if self._wrong is not None and self._wrong == self._password_stamp():
            raise GatewayError(
                ErrorCode.UPSTREAM_ACCESS_DENIED,
                "IAM refused this account's user or password before; it is not tried again "
                "until the password file changes.",
            )
        if self.locked:
            raise GatewayError(
                ErrorCode.UPSTREAM_ACCESS_DENIED,
                "IAM has this account's user locked; it is asked again later.",
            )
        if self._now() < self._pauses_until:
            raise GatewayError(
                ErrorCode.UPSTREAM_ACCESS_DENIED,
                "Huawei refused the last tokens of this account; the next one is asked for later.",
            )

    def ask(self, within: float) -> Token:
        """A new token.

        Args:
            within: Seconds that it may take.

        Raises:
            GatewayError: whatever asking ended in; UPSTREAM_ACCESS_DENIED at once where it is
                known to be of no use.
        """
        self.ensure_allowed()
        password = self._password_stamp()
        try:
            token = self._iam.partner_token(self._now(), within)
        except GatewayError as error:
            self._note(error, password)
            raise
        self._wrong = None
        return token

    def _note(self, error: GatewayError, password: tuple[int, int] | None) -> None:
        """Remember a wrong password for good; other refusals pass."""
        upstream = error.upstream
        if error.code is not ErrorCode.UPSTREAM_ACCESS_DENIED or upstream is None:
            return
        verdict = "refused"
        if upstream.code == USER_LOCKED:
            verdict = "locked"
            self._locked_until = self._now() + LOCK_PAUSE
        elif upstream.status == 401 and upstream.code in WRONG_PASSWORD:
            self._wrong = password
        else:
            self.pause()
        metrics.CREDENTIAL_EVENTS.labels(self._account, verdict).inc()
        event(
            _log,
            logging.ERROR,
            "IAM refused to give a token",
            account=self._account,
            verdict=verdict,
            code=error.code.name,
            upstream_code=upstream.code,
            upstream_status=upstream.status,
            upstream_request_id=upstream.request_id,
        )

    def _password_stamp(self) -> tuple[int, int] | None:
        try:
            stat = self._iam.password_file.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns
