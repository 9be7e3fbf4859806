"""The Partner Gateway: the composition root, in reading order."""

import sys

from flask import Flask

from app import (
    authentication,
    cli,
    docs,
    extensions,
    health,
    resources,
)
from app import settings as configuration
from app.authentication import Callers
from app.observability import record
from app.partner_center.bucket import Bucket
from app.partner_center.client import PartnerCenter
from app.partner_center.credentials import Credentials
from app.problems import ProblemApi
from app.settings import Settings
from app.verification import Verifications
from app.verification.migration import Migration

VERSION = "0.1.0"
MAX_BODY = 64 * 1024  # bytes; attachments have a limit of their own


def create_app(settings: Settings | None = None) -> Flask:
    """Build the gateway.

    Args:
        settings: The configuration; read from the file that GATEWAY_CONFIG names if None.
            If that file cannot be used, its faults are printed and the process ends with 2.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        API_TITLE="Partner Gateway",
        API_VERSION=VERSION,
        API_SPEC_OPTIONS=docs.SPEC,
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        OPENAPI_SWAGGER_UI_PATH="docs",
        OPENAPI_SWAGGER_UI_URL=docs.ASSETS_PATH,
    )
    # Merged slashes would redirect to a path that was not asked for.
    app.url_map.merge_slashes = False

    if settings is None:
        settings = _configured()
    credentials = {
        name: Credentials(account.credentials) for name, account in settings.accounts.items()
    }
    partner_centers = {
        name: PartnerCenter(name, account, credentials[name], record.observe)
        for name, account in settings.accounts.items()
    }
    buckets = {
        name: Bucket(name, account, account.attachments, record.observe)
        for name, account in settings.accounts.items()
        if account.attachments
    }
    migration = Migration()
    verifications = {
        name: Verifications(account, partner_centers[name], migration)
        for name, account in settings.accounts.items()
    }
    extensions.init_app(
        app,
        extensions.Gateway(
            settings=settings,
            credentials=credentials,
            buckets=buckets,
            verifications=verifications,
            migration=migration,
        ),
    )

    record.init_app(app)
    authentication.init_app(app, Callers(settings.callers))
    api = ProblemApi(app)
    resources.init_app(app, api)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(docs.blueprint)
    cli.init_app(app)
    return app


def _configured() -> Settings:
    try:
        return configuration.load_from_environment()
    except configuration.ConfigurationError as error:
        if cli.looking_up_commands():
            return Settings.model_construct(accounts={}, callers={})
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
