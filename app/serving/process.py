"""The process: settings that gunicorn must not have, signals, silent errors, open files."""

import logging
import resource
import sys
from functools import partial
from typing import Any

from gevent.hub import Hub
from gunicorn import util  # type: ignore[import-untyped]

from app.api.problems.document import raw_answer
from app.observability import logs

# Settings of gunicorn that would start a second process, take the operations port away, or do
# nothing (`keepalive`: the configuration has it).
_FIXED = (
    "bind",
    "control_socket_disable",
    "daemon",
    "dirty_workers",
    "keepalive",
    "max_requests",
    "preload_app",
    "reload",
    "reuse_port",
    "worker_class",
    "workers",
)
# The signals by which gunicorn would replace its workers, or start more. The state of a gateway
# can be in memory, so that a second process could send a write again.
_IGNORED = {
    "hup": "SIGHUP is ignored: a changed configuration needs a restart",
    "ttin": "SIGTTIN is ignored: the gateway is one process",
    "ttou": "SIGTTOU is ignored: the gateway is one process",
    "usr2": "SIGUSR2 is ignored: the gateway is one process",
}
MOST_FILES = 65536

_log = logs.logger("serving")


def check_gunicorn(server: Any, configured: dict[str, Any]) -> None:
    """End the process with status 2 if a setting differs from gunicorn.conf.py.

    Args:
        server: gunicorn's master, with the settings of the command line and GUNICORN_CMD_ARGS.
        configured: The names in gunicorn.conf.py and their values.
    """
    for name in _FIXED:
        setting = server.cfg.settings[name]
        if setting.get() != configured.get(name, setting.default):
            sys.stderr.write(
                f"{name}: GUNICORN_CMD_ARGS and the command line of gunicorn must not set it\n"
            )
            sys.exit(2)


def ignore_signals(server: Any) -> None:
    """Have gunicorn's master ignore the signals that would start a second worker, with a line.

    gunicorn has no setting for it: decision 0016.
    """
    for name, text in _IGNORED.items():
        setattr(server, f"handle_{name}", partial(logs.event, _log, logging.WARNING, text))


def raise_file_limit() -> int:
    """Raise the limit of open files to the highest possible. Returns the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def silence_errors() -> None:
    """Keep the contents of requests and exceptions out of answers and logs.

    gunicorn's error page for a malformed request quotes the request, for example a key in a
    header without a colon. gevent and Python print the texts of uncaught exceptions.
    """

    def refuse(sock: Any, status: int, _reason: str, _message: str) -> None:
        util.write_nonblock(sock, raw_answer(status))

    def log(_hub: Any, _context: Any, _kind: Any, error: Any, _traceback: Any) -> None:
        logs.unexpected(error, "greenlet")

    # Neither has a setting for it: decision 0016.
    util.write_error = refuse
    Hub.print_exception = log
    logs.catch_the_rest()
