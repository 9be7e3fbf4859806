"""The configuration file and the environment. No other package reads them."""

from app.settings.accounts import (
    AccountSettings,
    IamSettings,
    PairSettings,
    VerificationSettings,
)
from app.settings.buckets import AttachmentSettings, BillSettings, KeyFiles
from app.settings.callers import CallerSettings, IssuerSettings, Scope
from app.settings.environment import (
    address,
    addresses,
    host,
    load_from_environment,
    log_level,
    port,
)
from app.settings.file import ConfigurationError, load
from app.settings.files import (
    check_authorities,
    check_writable,
    missing_files,
    open_audit_file,
)
from app.settings.notes import notes
from app.settings.sections import Settings, StateSettings, TracingSettings
from app.settings.versions import FileVersion, version_of
from app.settings.webhooks import WebhookSettings

__all__ = [
    "AccountSettings",
    "AttachmentSettings",
    "BillSettings",
    "CallerSettings",
    "ConfigurationError",
    "FileVersion",
    "IamSettings",
    "IssuerSettings",
    "KeyFiles",
    "PairSettings",
    "Scope",
    "Settings",
    "StateSettings",
    "TracingSettings",
    "VerificationSettings",
    "WebhookSettings",
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
    "open_audit_file",
    "port",
    "version_of",
]
