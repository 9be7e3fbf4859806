"""The stand-in for Huawei: nginx, which is far faster than every measured side."""

from pathlib import Path
from string import Template
from typing import Any

import trustme

from benchmarks.processes import Process
from demo.local import free_port

# The sandbox's answer to a push of verified-info.
ANSWER = '{"error_msg": "success", "error_code": "CBC.0000"}'
DELAY = 0.3  # seconds, of the slow server; repeated in upstream.conf


class Upstream(Process):
    """Three servers that give the same answer.

    Args:
        folder: The folder for its files.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.ca_file = folder / "ca.pem"
        self._connections = folder / "connections.log"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        certificate = authority.issue_cert("127.0.0.1")
        for blob in certificate.cert_chain_pems:
            blob.write_to_path(folder / "chain.pem", append=True)
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        ports = {name: free_port() for name in ("fast", "slow", "secure")}
        self.fast = f"http://127.0.0.1:{ports['fast']}"  # answers at once
        self.slow = f"http://127.0.0.1:{ports['slow']}"  # after DELAY
        self.secure = f"https://127.0.0.1:{ports['secure']}"  # at once, by TLS
        super().__init__(
            nginx(folder, "upstream.conf", answer=ANSWER, **ports),
            f"{self.fast}/",
            folder / "log",
        )

    @property
    def secure_connections(self) -> list[str]:
        """The connection number of each TLS request so far."""
        return self._connections.read_text().split()


def nginx(folder: Path, template: str, **values: Any) -> list[str]:
    """The command that runs nginx with a configuration from a template in this folder."""
    text = (Path(__file__).parent / template).read_text()
    path = folder / "nginx.conf"
    path.write_text(Template(text).safe_substitute(folder=folder, **values))
    return ["nginx", "-p", str(folder), "-c", str(path)]
