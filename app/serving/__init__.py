"""Additions to gunicorn and gevent: limits of connections, the operations port, signals."""

from app.serving.process import (
    check_gunicorn,
    ignore_signals,
    raise_file_limit,
    silence_errors,
)
from app.serving.worker import Worker

__all__ = [
    "Worker",
    "check_gunicorn",
    "ignore_signals",
    "raise_file_limit",
    "silence_errors",
]
