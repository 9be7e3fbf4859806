"""The generated clients that the tests drive: the build of each, and the command of its driver."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.clients.building import (
    CONTRACT,
    DRIVERS,
    PYTHON,
    TOOLS,
    built,
    edit,
    generated,
    generator_jar,
    run,
)


def _openapi_python_client(folder: Path) -> None:
    tools = TOOLS / "venv/bin"
    configuration = folder / "configuration.yaml"
    # Without it the client takes the lines of a bill for CSV.
    overrides = "{application/x-ndjson: application/octet-stream}"
    configuration.write_text(f"content_type_overrides: {overrides}\n")
    run(
        folder,
        *(tools / "openapi-python-client", "generate", "--fail-on-warning", "--path", CONTRACT),
        *("--output-path", folder / "client", "--config", configuration),
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
    edit(
        folder / "go.mod", "go 1.23", "go 1.19"
    )  # the Go version of Debian; the client uses no newer feature
    run(folder, "go", "build", "-o", "drive", "./driver", GOFLAGS="-mod=mod", GOPROXY="off")


def _java(folder: Path) -> None:
    sources = [*generated("java").glob("src/main/**/*.java"), *(DRIVERS / "java").rglob("*.java")]
    run(folder, "javac", "-nowarn", "-cp", generator_jar(), "-d", folder, *sources)


def _kotlin(folder: Path) -> None:
    shutil.copytree(DRIVERS / "kotlin", folder, dirs_exist_ok=True)
    run(folder, "npm", "ci", "--silent", "--no-audit", "--no-fund")
    run(
        folder,
        *("java", "-XX:TieredStopAtLevel=1", "-cp", TOOLS / "kotlin/run_kotlin_kernel/jars/*"),
        *("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-stdlib", "-no-reflect", "-nowarn"),
        *("-jvm-target", "17", "-cp", _kotlin_libraries(folder), "-d", "built"),
        *(generated("kotlin") / "src/main/kotlin", "Driver.kt"),
    )


def _kotlin_libraries(folder: Path) -> str:
    """The class path of the Kotlin client: Kotlin, OkHttp and Gson."""
    okhttp = folder / "node_modules/allure-commandline/dist/plugins/jira-plugin/lib"
    jars = (
        *TOOLS.glob("kotlin/run_kotlin_kernel/jars/kotlin-stdlib-*.jar"),
        *okhttp.glob("ok*.jar"),
    )
    return ":".join(map(str, (*jars, "/usr/share/java/gson.jar")))


def _rust(folder: Path) -> None:
    shutil.copytree(DRIVERS / "rust", folder, dirs_exist_ok=True)
    shutil.copytree(generated("rust"), folder / "client")
    manifest = folder / "client/Cargo.toml"
    # The versions of Debian's crates; the client uses no newer feature.
    edit(manifest, '"^2.5"', '"2"')
    edit(manifest, '"^1.46.0"', '"1"')
    edit(manifest, '"^0.13"', '"0.11"')
    edit(manifest, ', "query", "form"]', "]")
    edit(manifest, 'rustls = ["reqwest/rustls"]', "")
    target = TOOLS / "clients/cargo"  # keeps the built crates
    run(folder, "cargo", "build", "--quiet", "--offline", CARGO_TARGET_DIR=str(target))
    shutil.copy(target / "debug/drive", folder)


class Client(NamedTuple):
    """A generated client: the programs of its build, and the command of its driver."""

    tools: tuple[str, ...]
    command: Callable[[], tuple[str | Path, ...]]


def _python_command(package: Callable[[], Path], driver: str) -> tuple[str | Path, ...]:
    return ("env", f"PYTHONPATH={package()}", PYTHON, "-W", "error", DRIVERS / "python" / driver)


def _kotlin_command() -> tuple[str | Path, ...]:
    folder = built("kotlin", _kotlin)
    return ("java", "-cp", f"{folder / 'built'}:{_kotlin_libraries(folder)}", "DriverKt")


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
    "openapi-generator php": Client(
        ("openapi-generator-cli", "java", "php"),
        lambda: ("php", DRIVERS / "php/driver.php", generated("php") / "lib"),
    ),
    "openapi-generator ruby": Client(
        ("openapi-generator-cli", "java", "ruby"),
        lambda: ("ruby", "-I", generated("ruby") / "lib", DRIVERS / "ruby/driver.rb"),
    ),
}

# `make clients` sets it. The builds of these take too long for `make test`.
if os.environ.get("ALL_CLIENTS"):
    CLIENTS["openapi-generator kotlin"] = Client(
        ("openapi-generator-cli", "java", "npm", "node"), _kotlin_command
    )
    CLIENTS["openapi-generator rust"] = Client(
        ("openapi-generator-cli", "java", "cargo"), lambda: (built("rust", _rust) / "drive",)
    )
