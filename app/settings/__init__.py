"""The configuration file and the environment. No other package reads them."""

from app.settings.accounts import (
    AccountSettings,
    IamSettings,
    PairSettings,
    VerificationSettings,
)
from app.settings.buckets import AttachmentSettings, BillSettings, KeyFiles
from app.settings.callers import CallerSettings, IssuerSettings, OidcSettings, Scope
from app.settings.environment import (
    address,
    addresses,
    host,
    load_from_environment,
    log_level,
    port,
)
from app.settings.file import ConfigurationError, load
from app.settings.files import check_authorities, check_writable, missing_files
from app.settings.notes import Note, notes
from app.settings.sections import AuditSettings, Settings, StateSettings, TracingSettings
from app.settings.webhooks import EventName, WebhookSettings, WebhooksSettings

__all__ = [
    "AccountSettings",
    "AttachmentSettings",
    "AuditSettings",
    "BillSettings",
    "CallerSettings",
    "ConfigurationError",
    "EventName",
    "IamSettings",
    "IssuerSettings",
    "KeyFiles",
    "Note",
    "OidcSettings",
    "PairSettings",
    "Scope",
    "Settings",
    "StateSettings",
    "TracingSettings",
    "VerificationSettings",
    "WebhookSettings",
    "WebhooksSettings",
    "address",
    "addresses",
    "check_authorities",
    "check_writable",
    "host",
    "load",
    "load_from_environment",
    "log_level",
    "missing_files",
    "notes",
    "port",
]
