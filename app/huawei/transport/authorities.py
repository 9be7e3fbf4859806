"""The TLS context of an endpoint, replaced when the files of the certificate authorities change."""

import logging
import ssl
import threading
from pathlib import Path

from app.observability.logs import event, logger
from app.settings import FileVersion, version_of

_LOG = logger("transport")


class Authorities:
    """The trusted certificate authorities, of a file or of the machine.

    Args:
        ca_file: The file of the authorities; None for the machine's authorities.

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
        """The context for a new connection. It is another object after the authorities changed."""
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
            event(_LOG, logging.INFO, "Changed certificate authorities are in use")
        except OSError:
            text = "Changed certificate authorities cannot be read; the old ones stay in use"
            event(_LOG, logging.ERROR, text)

    def _versions(self) -> list[FileVersion | None]:
        return [version_of(path) for path in self._paths]

    def _load(self) -> ssl.SSLContext:
        # This context verifies certificates and host names. The contexts of urllib3 and
        # ssl.create_default_context would write keys to the file that SSLKEYLOGFILE names.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.hostname_checks_common_name = False
        if self._ca_file:
            context.load_verify_locations(self._ca_file)
        else:
            context.load_default_certs()
        return context
