"""The little of an API server that Helm asks for when it looks up a Deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

NAME = "gw-partner-gateway"
DEPLOYMENT = f"/apis/apps/v1/namespaces/default/deployments/{NAME}"


def _resources(group: str, kind: str, name: str) -> dict[str, Any]:
    resource = {"name": name, "kind": kind, "namespaced": True, "verbs": ["get", "list"]}
    return {"kind": "APIResourceList", "groupVersion": group, "resources": [resource]}


def _answers(replicas: int) -> dict[str, dict[str, Any]]:
    version = {"groupVersion": "apps/v1", "version": "v1"}
    group = {"name": "apps", "versions": [version], "preferredVersion": version}
    return {
        "/version": {"major": "1", "minor": "31", "gitVersion": "v1.31.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]},
        "/api/v1": _resources("v1", "Secret", "secrets"),
        "/apis/apps/v1": _resources("apps/v1", "Deployment", "deployments"),
        DEPLOYMENT: {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": NAME, "namespace": "default"},
            "spec": {"replicas": replicas},
        },
    }


@contextmanager
def running(replicas: int, folder: Path) -> Iterator[Path]:
    """A cluster in which the gateway has that many pods. Yields the file of its address."""
    answers = _answers(replicas)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answers.get(self.path.partition("?")[0])
            body = json.dumps(found or {"kind": "Status", "code": 404}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = folder / "kubeconfig"
        cluster = {"server": f"http://127.0.0.1:{server.server_address[1]}"}
        context = {"cluster": "here", "user": "nobody"}
        address.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "here", "cluster": cluster}],
                    "users": [{"name": "nobody", "user": {}}],
                    "contexts": [{"name": "here", "context": context}],
                    "current-context": "here",
                }
            )
        )
        try:
            yield address
        finally:
            server.shutdown()
