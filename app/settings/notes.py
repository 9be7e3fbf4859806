"""Notes on a valid configuration: settings that are accepted but probably not intended."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from app.settings.accounts import AccountSettings
from app.settings.callers import CallerSettings
from app.settings.files import missing_files
from app.settings.sections import AuditSettings, Settings, StateSettings
from app.settings.values import is_loopback

# Digests of what commands hash by mistake: nothing, and a line break without a key.
_NO_KEY = frozenset(sha256(text).hexdigest() for text in (b"", b"\n"))
_REGION = re.compile(r"obs\.([a-z0-9-]+)\.myhuaweicloud\.(?:com|cn|eu)")


@dataclass(frozen=True, slots=True)
class Note:
    """A note on one setting.

    Args:
        key: The path of the key.
        text: What is wrong, without any value of a secret.
    """

    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.key}: {self.text}"


def notes(settings: Settings) -> list[Note]:
    """The notes on a configuration: files that are not there, and risky or useless settings."""
    return [
        *(Note(key, _unreadable(path)) for key, path in missing_files(settings)),
        *_of_audit(settings.audit),
        *_of_state(settings.state),
        *_of_callers(settings),
        *_of_webhooks(settings),
        *_of_accounts(settings),
    ]


def _unreadable(path: Path) -> str:
    try:
        os.lstat(path)
    except PermissionError:  # its folder may not be searched
        pass
    except OSError:
        return f"{path} does not exist"
    return f"{path} cannot be read"


def _of_audit(audit: AuditSettings) -> Iterator[Note]:
    if audit.file is not None and not os.access(audit.file.parent, os.W_OK | os.X_OK):
        text = f"{audit.file.parent} cannot be written here: the gateway would not start"
        yield Note("audit.file", text)


def _of_state(state: StateSettings) -> Iterator[Note]:
    if state.url == "memory://":
        text = (
            "`memory://` loses the Idempotency-Keys and the events when the process ends; "
            "production needs Redis"
        )
        if state.replicas > 1:
            text = f"`memory://` is not shared by {state.replicas} replicas, so that a repeated "
            text += "request can be sent twice and each has events of its own; several replicas "
            text += "need Redis"
        yield Note("state.url", text)
        return
    url = urlsplit(state.url)
    if url.password:
        yield Note("state.url", "holds a password; mount it and name it in `password_file`")
    if url.scheme == "redis" and not is_loopback(url.hostname or ""):
        text = "`redis://` sends the password of Redis in clear; use `rediss://`"
        yield Note("state.url", text)


def _of_callers(settings: Settings) -> Iterator[Note]:
    callers = settings.callers
    if not callers:
        yield Note("callers", "is empty, so that every request is UNAUTHENTICATED")
    for name, caller in callers.items():
        for key, text in _of_rights(caller, settings.accounts):
            yield Note(f"callers.{name}.{key}", text)
        if _NO_KEY & set(caller.keys_sha256):
            text = "holds the digest of an empty key, which no request can have"
            yield Note(f"callers.{name}.keys_sha256", text)
    if settings.kubernetes and not any(one.service_account for one in callers.values()):
        yield Note("kubernetes", "has no effect: no caller has a `service_account`")
    if settings.oidc and not any(one.oidc_subject for one in callers.values()):
        yield Note("oidc", "has no effect: no caller has an `oidc_subject`")


def _of_rights(
    caller: CallerSettings, accounts: Mapping[str, AccountSettings]
) -> Iterator[tuple[str, str]]:
    """The notes on the rights of a caller, each with its key."""
    scopes = caller.scopes
    if not scopes:
        yield "scopes", "is empty, so that the caller has no rights"
    freezes = scopes & {"customers:freeze", "customers:freeze-resources"}
    if freezes == {"customers:freeze-resources"}:
        text = "has `customers:freeze-resources` without `customers:freeze`, which has no effect"
        yield "scopes", text
    if "attachments:write" in scopes and not any(
        accounts[one].attachments for one in caller.accounts
    ):
        text = "has `attachments:write`, which has no effect: its accounts have no `attachments`"
        yield "scopes", text
    if caller.max_budget is not None and "budgets:write" not in scopes:
        yield "max_budget", "has no effect: the caller has no scope `budgets:write`"


def _of_webhooks(settings: Settings) -> Iterator[Note]:
    webhooks = [one.webhook for one in settings.callers.values() if one.webhook]
    if settings.webhooks.hosts and not webhooks:
        yield Note("webhooks", "has no effect: no caller has a `webhook`")
    if webhooks and settings.state.url == "memory://":
        text = "are lost with `memory://` when the process ends; production needs Redis"
        yield Note("webhooks", f"events that are not delivered yet {text}")


def _of_accounts(settings: Settings) -> Iterator[Note]:
    for name, account in settings.accounts.items():
        buckets = {"attachments": account.attachments, "bills.bucket": account.bills.bucket}
        for key, bucket in buckets.items():
            if bucket is None:
                continue
            found = _REGION.fullmatch(urlsplit(bucket.endpoint).hostname or "")
            if found and found[1] != bucket.region:
                text = f"is {bucket.region}, but `endpoint` is in {found[1]}"
                yield Note(f"accounts.{name}.{key}.region", text)
