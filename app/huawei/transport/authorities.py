"""The TLS contexts of an endpoint, made anew when the certificate authorities change."""

import logging
import os
import ssl
import threading
from pathlib import Path

from app.observability.logs import event, logger

_LOG = logger("transport")


class Authorities:
    """Certificate authorities to trust: a file's, or the machine's.

    Args:
        ca_file: Holds the authorities; None for those of the machine.

    Raises:
        OSError: if the file cannot be read.
    """

    def __init__(self, ca_file: Path | None) -> None:
        self._ca_file = ca_file
        default = ssl.get_default_verify_paths()
        machine = (default.cafile, default.capath)
        self._paths = [ca_file] if ca_file else [path for path in machine if path]
        self._lock = threading.Lock()
        self._seen = self._versions()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """The context for a connection; another one after the authorities changed."""
        if self._versions() != self._seen:
            with self._lock:
                seen = self._versions()
                if seen != self._seen:
                    self._seen = seen
                    self._reload()
        return self._context

    def _reload(self) -> None:
        try:
            self._context = self._load()
            event(_LOG, logging.INFO, "The certificate authorities were read again")
        except OSError:
            text = "Changed certificate authorities cannot be read; the old ones stay in use"
            event(_LOG, logging.ERROR, text)

    def _versions(self) -> list[tuple[int, int, int] | None]:
        return [_version(path) for path in self._paths]

    def _load(self) -> ssl.SSLContext:
        # Certificates and host names are verified. Unlike the contexts that urllib3 and
        # ssl.create_default_context make, it writes no keys to the environment's SSLKEYLOGFILE.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.hostname_checks_common_name = False
        if self._ca_file:
            context.load_verify_locations(self._ca_file)
        else:
            context.load_default_certs()
        return context


def _version(path: Path | str) -> tuple[int, int, int] | None:
    """What changes when a file is written or replaced; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
