"""Clients generated from openapi.yaml and built, once for each contract, under .tools/clients."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from demo.local import PROJECT

CONTRACT = PROJECT / "openapi/openapi.yaml"
DRIVERS = Path(__file__).parent
TOOLS = PROJECT / ".tools"
PYTHON = TOOLS / "venv/bin/python"  # contains the packages that generated Python clients import
BUILD_LIMIT = 100  # seconds

# A client of openapi-generator -> its configuration.
GENERATED: dict[str, dict[str, Any]] = {
    "python": {},
    "typescript-fetch": {"additionalProperties": {"importFileExtension": ".js"}},
    "go": {
        "gitHost": "gateway.test",
        "gitUserId": "clients",
        "gitRepoId": "partnergateway",
        # Without the second option the client refuses an answer with a new field.
        "additionalProperties": {
            "packageName": "gateway",
            "disallowAdditionalPropertiesIfNotPresent": False,
        },
    },
    "java": {"library": "native", "additionalProperties": {"openApiNullable": False}},
}


def run(folder: Path, *command: str | Path, **environment: str) -> None:
    """Run a program of the build; a failure reports its output."""
    done = subprocess.run(  # noqa: S603 - programs of the environment
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=BUILD_LIMIT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new))


def _openapi_generator(folder: Path) -> None:
    configurations = []
    for name, options in GENERATED.items():
        path = folder / f"{name}.yaml"
        where = {"inputSpec": str(CONTRACT), "outputDir": str(folder / name)}
        path.write_text(yaml.safe_dump({"generatorName": name, **where, **options}))
        configurations.append(path)
    # One Java for all clients.
    run(folder, TOOLS / "venv/bin/openapi-generator-cli", "batch", "--fail-fast", *configurations)
    _hide_values(folder / "python/openapi_client")


def _hide_values(package: Path) -> None:
    """Stop pydantic from printing its input, as docs/calling.md recommends."""
    for path in package.glob("models/[a-z]*.py"):
        if "(str, Enum)" in path.read_text():
            continue
        _edit(
            path, "protected_namespaces=(),", "protected_namespaces=(), hide_input_in_errors=True,"
        )
    for path in package.glob("api/[a-z]*.py"):
        hidden = '@validate_call(config={"hide_input_in_errors": True})\n'
        _edit(path, "@validate_call\n", hidden)


def _openapi_python_client(folder: Path) -> None:
    tools = TOOLS / "venv/bin"
    run(
        folder,
        *(tools / "openapi-python-client", "generate", "--fail-on-warning", "--path", CONTRACT),
        *("--output-path", folder / "client"),
        PATH=f"{tools}:{os.environ['PATH']}",  # for ruff
    )


def _typescript(folder: Path) -> None:
    shutil.copytree(DRIVERS / "typescript", folder, dirs_exist_ok=True)
    shutil.copytree(generated("typescript-fetch"), folder / "typescript-fetch")
    run(folder, "npm", "ci", "--silent", "--no-audit", "--no-fund")
    binaries = folder / "node_modules/.bin"
    run(folder, binaries / "openapi-typescript", CONTRACT, "--output", "schema.ts")
    run(folder, binaries / "tsc")


def _go(folder: Path) -> None:
    shutil.copytree(generated("go"), folder, dirs_exist_ok=True)
    shutil.copytree(DRIVERS / "go", folder / "driver")
    _edit(
        folder / "go.mod", "go 1.23", "go 1.19"
    )  # the Go version of Debian; the client uses no newer feature
    run(folder, "go", "build", "-o", "drive", "./driver", GOFLAGS="-mod=mod", GOPROXY="off")


def generator_jar() -> Path:
    """The jar of openapi-generator, which contains the Jackson for its Java clients."""
    (jar,) = TOOLS.glob("venv/lib/*/site-packages/openapi_generator_cli/*.jar")
    return jar


def _java(folder: Path) -> None:
    sources = [*generated("java").glob("src/main/**/*.java"), *(DRIVERS / "java").rglob("*.java")]
    run(folder, "javac", "-nowarn", "-cp", generator_jar(), "-d", folder, *sources)


def _files(folder: str) -> list[Path]:
    return sorted(path for path in (DRIVERS / folder).rglob("*.*") if path.is_file())


def built(name: str, make: Callable[[Path], None]) -> Path:
    """The folder built for this contract and these drivers; built now if absent."""
    digest = sha256()
    sources = [path for folder in ("python", "typescript", "go", "java") for path in _files(folder)]
    locked = PROJECT / "requirements/tools.txt"
    for path in (CONTRACT, locked, Path(__file__), *sources):
        digest.update(path.read_bytes())
    root = TOOLS / "clients"
    root.mkdir(parents=True, exist_ok=True)
    folder = root / f"{name}-{digest.hexdigest()[:16]}"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of pytest-xdist share it
        if not folder.exists():
            for old in root.glob(f"{name}-*"):
                shutil.rmtree(old)
            draft = Path(tempfile.mkdtemp(prefix="draft-", dir=root))
            try:
                make(draft)
                draft.rename(folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    return folder


def generated(name: str) -> Path:
    """The folder that openapi-generator generated."""
    return built("openapi-generator", _openapi_generator) / name


class Client(NamedTuple):
    """A generated client: the programs of its build, and the command of its driver."""

    tools: tuple[str, ...]
    command: Callable[[], tuple[str | Path, ...]]


def _python_command(package: Callable[[], Path], driver: str) -> tuple[str | Path, ...]:
    return ("env", f"PYTHONPATH={package()}", PYTHON, "-W", "error", DRIVERS / "python" / driver)


CLIENTS = {
    "openapi-python-client": Client(
        ("openapi-python-client",),
        lambda: _python_command(
            lambda: built("openapi-python-client", _openapi_python_client) / "client",
            "openapi_python_client.py",
        ),
    ),
    "openapi-generator python": Client(
        ("openapi-generator-cli", "java"),
        lambda: _python_command(lambda: generated("python"), "openapi_generator.py"),
    ),
    "openapi-generator typescript-fetch": Client(
        ("openapi-generator-cli", "java", "npm", "node"),
        lambda: ("node", built("typescript", _typescript) / "built/typescript_fetch.js"),
    ),
    "openapi-typescript": Client(
        ("openapi-generator-cli", "java", "npm", "node"),
        lambda: ("node", built("typescript", _typescript) / "built/openapi_typescript.js"),
    ),
    "openapi-generator go": Client(
        ("openapi-generator-cli", "java", "go"), lambda: (built("go", _go) / "drive",)
    ),
    "openapi-generator java": Client(
        ("openapi-generator-cli", "java", "javac"),
        lambda: ("java", "-cp", f"{built('java', _java)}:{generator_jar()}", "Driver"),
    ),
}
