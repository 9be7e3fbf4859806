"""gunicorn's configuration: `GATEWAY_CONFIG=config.yaml gunicorn -c gunicorn.conf.py`."""

# Patch before all other imports: otherwise TLS fails under gevent. preload_app would break TLS for
# the same reason.
from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))

from app import serving, settings, startup, state  # noqa: E402
from app.condition import Condition  # noqa: E402
from app.observability import logs, metrics, tracing  # noqa: E402
from app.version import VERSION  # noqa: E402

try:
    _settings = settings.load_from_environment()
    state.open_state(_settings.state)
    # gunicorn binds both ports, and a new worker takes them over. The operations port is the last.
    bind = settings.addresses()
    _log_level = settings.log_level()
    settings.check_writable(_settings)
except settings.ConfigurationError as error:
    # Check here: gunicorn would report the failure of a worker by status 3 and a stack trace.
    sys.stderr.write(f"{error}\n")
    sys.exit(2)

startup.keep(_settings)
wsgi_app = "app:create_app()"

# One process per pod. A request mostly waits for Huawei, and a waiting greenlet is cheap. The
# operations port has its own connections. A request needs two open files.
workers = 1
worker_class = "app.serving.Worker"
worker_connections = min(2000, serving.raise_file_limit() // 2)

# In seconds. The longest deadline of a request is 25 s, and a pod's grace period must be longer
# than graceful_timeout. graceful_timeout is also the limit for a request's body and for its answer.
keepalive = _settings.server.keepalive
graceful_timeout = 30
timeout = 60

# Limits of a request's head, beside HEAD_BYTES for all of it. They leave room for a token of
# nearly 8 KiB.
limit_request_line = 2048
limit_request_fields = 50
limit_request_field_size = 8190
sendfile = False  # it would send an answer past the worker's limit of time

# Trust no proxy headers. By default a peer on loopback (a sidecar) could change the path.
forwarded_allow_ips = ""
forwarder_headers = ""

# For a read-only root file system: no control socket under $HOME, heartbeat files in memory.
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

accesslog = None  # the gateway logs each request itself
logconfig_dict = logs.configuration(_log_level, _settings.audit.file)

serving.silence_errors()
_configured = dict(globals())


def on_starting(server: Any) -> None:
    """Refuse settings of gunicorn that come from elsewhere and must not change."""
    serving.check_gunicorn(server, _configured)


when_ready = serving.ignore_signals  # gunicorn's name for this hook


def post_worker_init(worker: Any) -> None:
    """Inspect the state, collect the metrics of the process that serves, and start its threads."""
    worker.gateway.state.inspect()
    metrics.REGISTRY.register(Condition(lambda: worker.gateway, VERSION))
    worker.gateway.start()


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    """Export the remaining traces."""
    tracing.close()
