"""The Partner Gateway: the composition root, in reading order."""

from flask import Flask

from app import cli, startup
from app.api import contract, docs, extensions, health, hooks, pages, problems, record, tracing
from app.api.rates import Rates
from app.callers import Callers
from app.huawei.transport import reach
from app.settings import Settings
from app.version import VERSION

MAX_BODY = 64 * 1024  # bytes; attachments have a limit of their own


def create_app(settings: Settings | None = None) -> Flask:
    """Build the gateway's web application.

    Args:
        settings: The configuration; read from the file that GATEWAY_CONFIG names if None.
            If the file is not valid, its errors are printed and the process ends with status 2.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(
        DEBUG=False,  # FLASK_DEBUG has no effect: a crash is answered as a problem
        MAX_CONTENT_LENGTH=MAX_BODY,
        PROVIDE_AUTOMATIC_OPTIONS=False,  # the contract has none
    )
    # Merged slashes would redirect to a path that was not asked for.
    app.url_map.merge_slashes = False

    if settings is None:
        settings = startup.configured()
        if not startup.runs_a_command():
            startup.announce(settings, VERSION)
    tracing.init_app(app, settings.tracing)  # first, so that refusals are traced too
    gateway = startup.built(settings, record.observe)
    extensions.init_app(app, gateway)
    rates = Rates(settings.callers, gateway.state, gateway.sealing)
    hooks.init_app(app, Callers(settings, reach), rates)
    pages.init_app(app)
    problems.init_app(app)
    contract.init_app(app)
    app.register_blueprint(health.blueprint)
    docs.init_app(app)
    cli.init_app(app)
    return app
