"""Writes docs/performance.md from the measurements."""

import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from string import Template

from benchmarks.bench import Bench, Row
from benchmarks.processes import PROJECT

PAGE = PROJECT / "docs/performance.md"
TEMPLATE = Path(__file__).parent / "performance.md"
SHOWN = ("flask", "flask-smorest", "marshmallow", "gunicorn", "gevent", "urllib3")


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)  # noqa: S603
    return done.stdout.strip()


def _machine() -> str:
    cpu = "unknown"
    memory = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            memory = f"{int(line.split()[1]) / 1024 / 1024:.0f} GiB"
    cores = _output("nproc")
    return f"{cores} cores of {cpu}, {memory}, Linux {platform.release().partition('-')[0]}"


def write(
    bench: Bench, rows: Sequence[tuple[str, Row]], layers: Sequence[tuple[str, float]], took: float
) -> None:
    """Write the page."""
    marks = {True: "yes", False: "**no**", None: ""}
    table = "\n".join(
        f"| {row.figure} | {row.goal} | {row.measured} | {marks[row.reached]} | {figure} |"
        for figure, row in rows
    )
    profile = "\n".join(f"| {layer} | {share:.0%} |" for layer, share in layers)
    page = Template(TEMPLATE.read_text()).substitute(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        revision=_output("git", "rev-parse", "--short", "HEAD"),
        machine=_machine(),
        python=platform.python_version(),
        versions=", ".join(f"{name} {version(name)}" for name in SHOWN),
        rounds=bench.rounds,
        seconds=bench.seconds,
        minutes=f"{took / 60:.1f}",
        table=table,
        profile=profile,
    )
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page)
