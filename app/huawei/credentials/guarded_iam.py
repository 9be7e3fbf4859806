"""Requests the partner's token from IAM, and never sends a wrong password twice.

IAM locks a user after several wrong passwords. The replicas share what IAM refused.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import ErrorCode, GatewayError
from app.huawei.credentials.iam_refusals import IamRefusals
from app.huawei.iam import Iam, Token
from app.huawei.pacing.deadline import Errand
from app.observability import metrics
from app.observability.logs import event, logger
from app.settings import FileVersion, version_of

# The codes of a wrong password. None: an answer in keystone's shape has no code.
WRONG_PASSWORD = (None, "IAM.0062", "IAM.0063")
USER_LOCKED = "IAM.0061"
LOCK_PAUSE = 900.0  # seconds after "user locked"; the account's own policy sets IAM's lock time
REFUSED_PAUSE = 60.0  # seconds after a refusal for another reason than the password

_log = logger("credentials")


@dataclass(frozen=True, slots=True)
class _Refused:
    """The refused password that is mounted, and its file when that became known."""

    password: str  # its fingerprint
    version: FileVersion | None


class GuardedIam:
    """Requests the partner's own token, unless an earlier refusal forbids it.

    Args:
        account: The account's name.
        iam: Issues tokens.
        refusals: What IAM refused, shared by the replicas.
        now: The wall clock, in seconds, for the life of tokens.
        monotonic: The clock of intervals, in seconds.
    """

    def __init__(
        self,
        account: str,
        iam: Iam,
        refusals: IamRefusals,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        self._iam = iam
        self._refusals = refusals
        self._now = now
        self._monotonic = monotonic
        self._refused: _Refused | None = None
        self._locked_until = 0.0

    @property
    def locked(self) -> bool:
        """Whether IAM said that the user is locked, less than LOCK_PAUSE ago."""
        return self._monotonic() < self._locked_until

    @property
    def refused(self) -> bool:
        """Whether IAM refused the last password that was sent."""
        return self._refused is not None

    @property
    def password_mounted(self) -> bool:
        """Whether the password file exists."""
        return self._iam.password_file.is_file()

    def pause(self) -> None:
        """Request no token for REFUSED_PAUSE: Huawei refuses the tokens that IAM issues."""
        self._refusals.stop("paused", REFUSED_PAUSE)

    def request_token(self, errand: Errand) -> Token:
        """A new token.

        Args:
            errand: The deadline of the request.

        Raises:
            GatewayError: UPSTREAM_ACCESS_DENIED without a request if the mounted password was
                refused or cannot be read, the user is locked, or requests are paused;
                DEADLINE_EXCEEDED without a request; otherwise the failure of the request.
        """
        self._ensure_allowed()
        errand.check(write=False)
        password, version = self._mounted()
        sent = _Refused(self._refusals.fingerprint(password), version)
        try:
            token = self._iam.partner_token(password, self._now(), errand.left)
        except GatewayError as error:
            self._note(error, sent)
            raise
        self._refused = None
        return token

    def _ensure_allowed(self) -> None:
        if self._is_password_refused():
            raise GatewayError(
                ErrorCode.UPSTREAM_ACCESS_DENIED,
                "IAM refused this account's user or password. The gateway tries again when the "
                "password file changes.",
            )
        if not self.locked:
            self._locked_until = self._monotonic() + self._refusals.stopped_for("locked")
        if self.locked:
            raise GatewayError(
                ErrorCode.UPSTREAM_ACCESS_DENIED,
                "IAM has locked this account's user. The gateway tries again later.",
            )
        if self._refusals.stopped_for("paused"):
            raise GatewayError(
                ErrorCode.UPSTREAM_ACCESS_DENIED,
                "Huawei refused the last tokens of this account. The gateway requests the next "
                "token later.",
            )

    def _is_password_refused(self) -> bool:
        """Whether IAM refused the mounted password to any replica.

        A file that was written again with the same password is tried again, by one replica.
        """
        known = self._refused
        if known is not None and known.version == self._version():
            return True
        mounted, version = self._mounted()
        password = self._refusals.fingerprint(mounted)
        repeat = known is not None and known.password == password
        if repeat and self._refusals.may_repeat(password):
            self._refused = None
            return False
        refused = self._refusals.is_refused(password)
        self._refused = _Refused(password, version) if refused else None
        return refused

    def _note(self, error: GatewayError, sent: _Refused) -> None:
        """Remember a refusal: a wrong password until its file changes, others for a time."""
        upstream = error.upstream
        if error.code is not ErrorCode.UPSTREAM_ACCESS_DENIED or upstream is None:
            return
        verdict = "refused"
        if upstream.code == USER_LOCKED:
            verdict = "locked"
            self._refusals.stop("locked", LOCK_PAUSE)
            self._locked_until = self._monotonic() + LOCK_PAUSE
        elif upstream.status == 401 and upstream.code in WRONG_PASSWORD:
            self._refused = sent
            self._refusals.refuse(sent.password)
        else:
            self.pause()
        metrics.CREDENTIAL_EVENTS.labels(self._account, verdict).inc()
        event(
            _log,
            logging.ERROR,
            "IAM refused to issue a token",
            account=self._account,
            verdict=verdict,
            code=error.code.name,
            upstream_code=upstream.code,
            upstream_status=upstream.status,
            upstream_request_id=upstream.request_id,
        )

    def _mounted(self) -> tuple[str, FileVersion | None]:
        """The password, and the version of the file that holds it."""
        while True:
            version = self._version()
            password = self._iam.password()
            if self._version() == version:  # no other file was mounted meanwhile
                return password, version

    def _version(self) -> FileVersion | None:
        return version_of(self._iam.password_file)
