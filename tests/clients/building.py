"""Generates clients from openapi.yaml and keeps what is built, under .tools/clients."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from demo.local import PROJECT

CONTRACT = PROJECT / "openapi/openapi.yaml"
DRIVERS = Path(__file__).parent
TOOLS = PROJECT / ".tools"
PYTHON = TOOLS / "venv/bin/python"  # contains the packages that generated Python clients import
LANGUAGES = ("python", "typescript", "go", "java", "php", "ruby", "kotlin", "rust")  # folders
BUILD_LIMIT = 300  # seconds

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
    "php": {},
    "ruby": {"additionalProperties": {"gemName": "gateway"}},
    "kotlin": {"additionalProperties": {"serializationLibrary": "gson"}},
    "rust": {
        "additionalProperties": {
            "packageName": "gateway",
            "supportMultipleResponses": True,  # else an answer does not tell its status
            "useChrono": False,
        }
    },
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


def edit(path: Path, old: str, new: str) -> None:
    """Replace text of a generated file, which must contain it."""
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


def generator_jar() -> Path:
    """The jar of openapi-generator, which contains the Jackson for its Java clients."""
    (jar,) = TOOLS.glob("venv/lib/*/site-packages/openapi_generator_cli/*.jar")
    return jar


def _hide_values(package: Path) -> None:
    """Stop pydantic from printing its input, as docs/calling.md recommends."""
    for path in package.glob("models/[a-z]*.py"):
        if "(str, Enum)" in path.read_text():
            continue
        edit(
            path, "protected_namespaces=(),", "protected_namespaces=(), hide_input_in_errors=True,"
        )
    for path in package.glob("api/[a-z]*.py"):
        hidden = '@validate_call(config={"hide_input_in_errors": True})\n'
        edit(path, "@validate_call\n", hidden)


def _files(folder: str) -> list[Path]:
    return sorted(path for path in (DRIVERS / folder).rglob("*.*") if path.is_file())


def built(name: str, make: Callable[[Path], None]) -> Path:
    """The folder built for this contract and these drivers; built now if absent."""
    digest = sha256()
    sources = [path for folder in LANGUAGES for path in _files(folder)]
    locked = (PROJECT / "requirements" / name for name in ("tools.txt", "kotlin.txt"))
    for path in (CONTRACT, *locked, *sorted(DRIVERS.glob("*.py")), *sources):
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
