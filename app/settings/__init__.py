"""The configuration file and the environment. No other package reads them."""

from app.settings.accounts import (
    AccountSettings,
    AttachmentSettings,
    IamSettings,
    KeyFiles,
    PairSettings,
    VerificationSettings,
)
from app.settings.callers import CallerSettings, IssuerSettings, OidcSettings, Scope
from app.settings.environment import (
    address,
    addresses,
    load_from_environment,
    log_level,
    port,
)
from app.settings.file import ConfigurationError, check_writable, load, missing_files
from app.settings.sections import AuditSettings, Settings, StateSettings, TracingSettings

__all__ = [
    "AccountSettings",
    "AttachmentSettings",
    "AuditSettings",
    "CallerSettings",
    "ConfigurationError",
    "IamSettings",
    "IssuerSettings",
    "KeyFiles",
    "OidcSettings",
    "PairSettings",
    "Scope",
    "Settings",
    "StateSettings",
    "TracingSettings",
    "VerificationSettings",
    "address",
    "addresses",
    "check_writable",
    "load",
    "load_from_environment",
    "log_level",
    "missing_files",
    "port",
]
