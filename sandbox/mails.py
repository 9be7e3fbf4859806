"""The mails with verification codes that the sandbox pretends to send."""

from __future__ import annotations

from dataclasses import dataclass

TRIES = 3  # "failed more than 3 times" (CBC.99004009)


@dataclass(slots=True)
class Mail:
    """A mail with a code. Times are seconds since 1970 by the sandbox's clock."""

    email: str
    code: str
    language: str
    sent_at: float
    expires_at: float
    failures: int = 0
    used: bool = False


def problem(mails: list[Mail], email: str, code: str, now: float) -> str | None:
    """Return Huawei's code for a wrong verification code; None if it is right.

    Only the last code of an address is valid. Huawei documents neither that nor whether a code can
    be used again; here it cannot.
    """
    mail = next((mail for mail in reversed(mails) if mail.email == email), None)
    if mail is None or mail.used or now >= mail.expires_at:
        return "CBC.99004008"
    if mail.failures > TRIES:
        return "CBC.99004009"
    if code != mail.code:
        mail.failures += 1
        return "CBC.99004010"
    return None


def use(mails: list[Mail], email: str) -> None:
    """Use up the codes of an address."""
    for mail in mails:
        mail.used = mail.used or mail.email == email
