"""The image, built once, its containers, and the figures printed at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from demo.local import configuration, free_port
from tests.image.containers import IMAGE, Container, build, ensure_base, podman
from tests.support.programs import needed
from tests.support.sandbox_driver import SandboxDriver

_FIGURES: dict[str, str] = {}


def _size(image: str) -> int:
    return int(podman("image", "inspect", "--format={{.Size}}", image))


@pytest.fixture(scope="session")
def image() -> str:
    for tool in ("buildah", "podman", "make"):
        needed(tool)
    base = ensure_base()
    begin = time.monotonic()
    build()
    _FIGURES["build, with what is kept of the last one"] = f"{time.monotonic() - begin:.1f} s"
    _FIGURES["base image"] = base
    _FIGURES["size"] = f"{_size(IMAGE) / 1e6:.0f} MB"
    return IMAGE


@pytest.fixture(scope="session")
def sandbox_container(image: str) -> Iterator[SandboxDriver]:  # noqa: ARG001 - it is run
    port = free_port()
    command = ("python", "-m", "sandbox", "--port", str(port))
    with Container(f"http://127.0.0.1:{port}", "/_sandbox/state", command) as container:
        yield SandboxDriver(container.url)


@pytest.fixture
def sandbox(sandbox_container: SandboxDriver) -> SandboxDriver:
    """The sandbox in its start state."""
    sandbox_container.reset()
    return sandbox_container


def gateway_container(
    folder: Path, sandbox_url: str, metrics_port: int, *options: str
) -> Container:
    """A gateway with configuration and keys mounted as a directory, as in a pod."""
    mounted = folder / "gateway"
    mounted.mkdir()
    path = mounted / "config.yaml"
    path.write_text(yaml.safe_dump(configuration(mounted, sandbox_url)))
    port = free_port()
    return Container(
        f"http://127.0.0.1:{port}",
        "/readyz",
        options=(
            *options,
            f"--volume={mounted}:{mounted}:ro",
            *(f"--env=GATEWAY_CONFIG={path}", "--env=HOST=127.0.0.1"),
            *(f"--env=PORT={port}", f"--env=METRICS_PORT={metrics_port}"),
        ),
    )


@pytest.fixture
def figure() -> Callable[[str, str], None]:
    """Records a figure for the table."""
    return _FIGURES.__setitem__


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures as a table for the README."""
    if _FIGURES:
        terminalreporter.section("figures of the image")
        terminalreporter.write_line("| figure | value |\n|---|---|")
        for name, value in sorted(_FIGURES.items()):
            terminalreporter.write_line(f"| {name} | {value} |")
