"""How the gateway is served: `GATEWAY_CONFIG=config.yaml gunicorn -c gunicorn.conf.py`."""

# First of all, before anything else is imported: TLS breaks under gevent otherwise. For the same
# reason there is no preload_app.
from gevent import monkey

monkey.patch_all()

import logging  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))

import gevent  # noqa: E402

from app import settings, state  # noqa: E402
from app.observability import logs, metrics  # noqa: E402

try:
    _settings = settings.load_from_environment()
    state.open_state(_settings.state)
    _port = settings.port("PORT", 8080)
    _metrics_port = settings.port("METRICS_PORT", 9090)
    _log_level = settings.log_level()
except settings.ConfigurationError as error:
    # Here and not in a worker, whose failure gunicorn would report as status 3 and a trace.
    sys.stderr.write(f"{error}\n")
    sys.exit(2)

wsgi_app = "app:create_app()"
bind = f"{settings.host()}:{_port}"

# One process a pod. A request mostly waits for Huawei, and a waiting greenlet is cheap: the
# probes are answered while a thousand requests wait.
workers = 1
worker_class = "gevent"
worker_connections = 2000

# The longest deadline of a request is 25 s; a pod's grace must be longer than graceful_timeout.
# An idle connection is only noticed to be idle after keepalive, so that has to be shorter too.
keepalive = 15
graceful_timeout = 30
timeout = 60

# A read-only root file system: no control socket under $HOME, heartbeats in memory.
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

accesslog = None  # the gateway writes one line a request itself
logconfig_dict = logs.configuration(_log_level)


DRAIN_PAUSE = 1.0  # seconds between "not ready" and the closed door


def post_worker_init(worker: Any) -> None:
    """Serve the metrics from the process that counts them, and end in order."""
    metrics.serve(_metrics_port)
    gateway = worker.wsgi.extensions["partner_gateway"]

    def drain(*signal_and_frame: Any) -> None:
        gateway.draining.set()
        worker.cfg.set("keepalive", 0)  # have clients connect anew, to another replica
        gevent.spawn_later(DRAIN_PAUSE, worker.handle_exit, *signal_and_frame)

    signal.signal(signal.SIGTERM, drain)
    for key in settings.without_effect(_settings):
        text = "A setting has no effect in this version"
        logs.event(logs.logger("settings"), logging.WARNING, text, key=key)
