"""How the gateway is served: `GATEWAY_CONFIG=config.yaml gunicorn -c gunicorn.conf.py`."""

# First of all, before anything else is imported: TLS breaks under gevent otherwise. For the same
# reason there is no preload_app.
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
    # Here and not in a worker, whose failure gunicorn would report as status 3 and a trace.
    sys.stderr.write(f"{error}\n")
    sys.exit(2)

wsgi_app = "app:create_app()"
bind = settings.address(_host, _port)

# One process a pod. A request mostly waits for Huawei, and a waiting greenlet is cheap: the
# probes are answered while a thousand requests wait.
workers = 1
worker_class = "gevent"
worker_connections = 2000

# The longest deadline of a request is 25 s; a pod's grace must be longer than graceful_timeout.
# An idle connection is only noticed to be idle after keepalive, so that has to be shorter too.
# It is also the time in which the whole head of a request has to come.
keepalive = 15
graceful_timeout = 30
timeout = 60

# The head of a request; a token of nearly 8 KiB has room.
limit_request_line = 2048
limit_request_fields = 50
limit_request_field_size = 8190

# Nobody in front is believed; by default a peer on loopback (a sidecar) could move the path.
forwarded_allow_ips = ""
forwarder_headers = ""

# A read-only root file system: no control socket under $HOME, heartbeats in memory.
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

accesslog = None  # the gateway writes one line a request itself
logconfig_dict = logs.configuration(_log_level, _settings.audit.file)

serving.keep_quiet()
pre_request = serving.bound  # gunicorn calls it by this name


def post_worker_init(worker: Any) -> None:
    """Serve the metrics from the process that counts them, and end in order."""
    gateway = worker.wsgi.extensions["partner_gateway"]
    metrics.serve(_host, _metrics_port, Condition(gateway, worker.wsgi.config["API_VERSION"]))
    serving.end_in_order(worker, gateway)


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn calls it so
    """Hand over the traces that are left."""
    tracing.close()
