"""Runs the real Helm on the chart, and finds objects in its output."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tools.chart.table import CHART as CHART

VALUES = Path(__file__).parent / "values"
MATRIX = sorted(path.stem for path in VALUES.glob("*.yaml"))
Manifest = dict[str, Any]


class Manifests(list[Manifest]):
    """The objects of a release."""

    def of(self, kind: str) -> list[Manifest]:
        return [one for one in self if one["kind"] == kind]

    def one(self, kind: str, ending: str = "gateway") -> Manifest:
        """The only object of that kind whose name has that suffix."""
        (found,) = (one for one in self.of(kind) if one["metadata"]["name"].endswith(ending))
        return found

    @property
    def pod(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.one("Deployment")["spec"]["template"]["spec"]
        return spec

    @property
    def pods(self) -> list[dict[str, Any]]:
        """The specs of all pods: of the gateway, of `helm test`, and of the Job before it."""
        jobs = [one["spec"]["template"]["spec"] for one in self.of("Job")]
        return [self.pod, *(one["spec"] for one in self.of("Pod")), *jobs]

    @property
    def gateway(self) -> dict[str, Any]:
        """The container of the gateway."""
        (container,) = (one for one in self.pod["containers"] if one["name"] == "gateway")
        return dict(container)

    @property
    def config(self) -> dict[str, Any]:
        """The gateway's configuration."""
        loaded: dict[str, Any] = yaml.safe_load(self.one("ConfigMap")["data"]["config.yaml"])
        return loaded


class Helm:
    """One Helm version, without a cluster and without the user's settings."""

    def __init__(self, program: str, folder: Path) -> None:
        homes = {f"HELM_{kind}_HOME": str(folder / kind) for kind in ("CACHE", "CONFIG", "DATA")}
        self._program = program
        self._environment = {**os.environ, **homes, "KUBECONFIG": os.devnull}
        self.rendered = lru_cache(self._rendered)

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own chart
            [self._program, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def template(
        self, name: str, *settings: str, kubernetes: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Render with a values file, changed by settings such as `replicaCount=2` or `list=[]`.

        Args:
            name: The name of the values file.
            settings: Changes of the values.
            kubernetes: The version of the cluster; that of Helm's release by default.
        """
        options = ["--set-json" if "=[" in one or "={}" in one else "--set" for one in settings]
        changes = [part for pair in zip(options, settings, strict=True) for part in pair]
        version = ["--kube-version", kubernetes] if kubernetes else []
        values = VALUES / f"{name}.yaml"
        return self.run("template", "gw", CHART, "--values", values, *changes, *version)

    def _rendered(self, name: str, *settings: str, kubernetes: str = "") -> Manifests:
        done = self.template(name, *settings, kubernetes=kubernetes)
        assert done.returncode == 0, done.stderr
        return Manifests(one for one in yaml.safe_load_all(done.stdout) if one)

    def refusal(self, name: str, *settings: str) -> str:
        """The message of Helm for refused values."""
        done = self.template(name, *settings)
        assert done.returncode != 0, done.stdout
        return done.stderr
