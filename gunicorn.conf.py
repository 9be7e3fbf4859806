"""gunicorn's configuration: `GATEWAY_CONFIG=config.yaml gunicorn -c gunicorn.conf.py`."""

# Patch before all other imports: otherwise TLS fails under gevent. preload_app would break TLS for
# the same reason.
from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))

from app import serving, settings, state  # noqa: E402
from app.condition import Condition  # noqa: E402
from app.observability import logs, metrics, tracing  # noqa: E402

try:
    _settings = settings.load_from_environment()
    state.open_state(_settings.state)
    _host = settings.host()
    _port = settings.port("PORT", 8080)
    _metrics_port = settings.port("METRICS_PORT", 9090)
    _log_level = settings.log_level()
    settings.check_writable(_settings)
except settings.ConfigurationError as error:
    # Check here: gunicorn would report the failure of a worker by status 3 and a stack trace.
    sys.stderr.write(f"{error}\n")
    sys.exit(2)

wsgi_app = "app:create_app()"
bind = settings.address(_host, _port)

# One process per pod. A request mostly waits for Huawei, and a waiting greenlet is cheap: the
# probes are answered while a thousand requests wait.
workers = 1
worker_class = "gevent"
worker_connections = 2000

# In seconds. The longest deadline of a request is 25 s. A pod's grace period must be longer than
# graceful_timeout, and graceful_timeout longer than keepalive: a worker that ends notices an idle
# connection only after keepalive. keepalive is also the time limit for the head of a request.
keepalive = 15
graceful_timeout = 30
timeout = 60

# Limits of a request's head. They leave room for a token of nearly 8 KiB.
limit_request_line = 2048
limit_request_fields = 50
limit_request_field_size = 8190

# Trust no proxy headers. By default a peer on loopback (a sidecar) could change the path.
forwarded_allow_ips = ""
forwarder_headers = ""

# For a read-only root file system: no control socket under $HOME, heartbeat files in memory.
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

accesslog = None  # the gateway logs each request itself
logconfig_dict = logs.configuration(_log_level, _settings.audit.file)

serving.silence_errors()
pre_request = serving.limit_times  # gunicorn's name for this hook


def post_worker_init(worker: Any) -> None:
    """Serve the metrics from the process that counts them, and prepare the graceful shutdown."""
    gateway = worker.wsgi.extensions["partner_gateway"]
    metrics.serve(_host, _metrics_port, Condition(gateway, worker.wsgi.config["API_VERSION"]))
    serving.drain_on_sigterm(worker, gateway)


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    """Export the remaining traces."""
    tracing.close()
