"""Fails if openapi.yaml breaks the last released contract.

jev-oas-sentinel finds removals, new requirements and changed types. This module finds what
jev-oas-sentinel overlooks: narrowed parameters and limits, headers, security, closed objects, and
the names in generated clients.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parent.parent
CONTRACT = PROJECT / "openapi/openapi.yaml"
RELEASED = PROJECT / "openapi/released"
SENTINEL = PROJECT / ".tools/venv/bin/jev-oas-sentinel"

AT_LEAST = ("minLength", "minItems", "minProperties", "minimum")
AT_MOST = ("maxLength", "maxItems", "maxProperties", "maximum")
# Any change breaks the code of a caller.
FIXED = ("type", "format", "pattern", "oneOf", "anyOf", "allOf", "not", "discriminator")


def newest() -> Path:
    """The released contract with the highest version."""
    return max(RELEASED.glob("*.yaml"), key=lambda path: [int(n) for n in path.stem.split(".")])


def resolved(node: Any, document: dict[str, Any]) -> Any:
    """The node with every local reference replaced by its target."""
    if isinstance(node, list):
        return [resolved(one, document) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target: Any = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        return resolved(target, document)
    return {key: resolved(one, document) for key, one in node.items()}


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every operation by method and path, with the parameters of its path."""
    found = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
            whole = resolved({**operation, "parameters": parameters}, document)
            found[f"{method.upper()} {path}"] = whole
    return found


def _limits(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for key in AT_LEAST:
        if new.get(key, 0) > old.get(key, 0):
            yield f"{key} is raised"
    for key in AT_MOST:
        if new.get(key, float("inf")) < old.get(key, float("inf")):
            yield f"{key} is lowered"
    if "enum" in new and not set(old.get("enum", ["any"])) <= set(new["enum"]):
        yield "enum is narrowed"


def schema_breaks(old: dict[str, Any], new: dict[str, Any], sent: bool) -> Iterator[str]:
    """The breaking changes between two schemas of a value that callers send or receive."""
    for key in FIXED:
        if old.get(key) != new.get(key):
            yield f"{key} is changed"
    if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
        yield "the object is closed"
    if sent:
        yield from _limits(old, new)
    for name in old.get("properties", {}).keys() & new.get("properties", {}).keys():
        there, now = old["properties"][name], new["properties"][name]
        yield from (f"{name}: {text}" for text in schema_breaks(there, now, sent))
    if "items" in old and "items" in new:
        yield from (f"entry: {text}" for text in schema_breaks(old["items"], new["items"], sent))


def _content_breaks(old: dict[str, Any], new: dict[str, Any], sent: bool) -> Iterator[str]:
    for media, entry in old.get("content", {}).items():
        if media in new.get("content", {}):
            yield from schema_breaks(entry["schema"], new["content"][media]["schema"], sent)


def _access_breaks(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for key in ("operationId", "tags"):  # generated clients name methods and modules by them
        if old.get(key) != new.get(key):
            yield f"{key} is changed"
    for accepted in old.get("security", []):
        if accepted not in new.get("security", []):
            yield f"security: {json.dumps(accepted)} is no longer accepted"
    if new.get("security") and not old.get("security"):
        yield "security: a credential is now required"
    if new.get("x-required-scope") not in (None, old.get("x-required-scope")):
        yield "security: another scope is now required"


def _request_breaks(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    parameters = {(one["in"], one["name"]): one for one in new["parameters"]}
    for one in old["parameters"]:
        same = parameters.get((one["in"], one["name"]))
        if same is not None:
            breaks = schema_breaks(one["schema"], same["schema"], sent=True)
            yield from (f"parameter {one['name']}: {text}" for text in breaks)
    before, after = (operation.get("requestBody", {}) for operation in (old, new))
    yield from (f"request body: {text}" for text in _content_breaks(before, after, sent=True))


def _response_breaks(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for status in old["responses"].keys() & new["responses"].keys():
        response, same = old["responses"][status], new["responses"][status]
        for name in response.get("headers", {}).keys() - same.get("headers", {}).keys():
            yield f"response {status}: header {name} is removed"
        breaks = _content_breaks(response, same, sent=False)
        yield from (f"response {status}: {text}" for text in breaks)


def _component_breaks(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for kind in ("schemas", "securitySchemes"):  # generated clients name classes by the schemas
        there, now = (document["components"].get(kind, {}) for document in (old, new))
        yield from (f"{kind}: {name} is removed" for name in there.keys() - now.keys())
    there, now = (document["components"].get("securitySchemes", {}) for document in (old, new))
    for name in there.keys() & now.keys():
        if any(there[name].get(key) != now[name].get(key) for key in ("type", "scheme", "in")):
            yield f"securitySchemes: {name} is changed"


def overlooked(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """The breaking changes between two contracts that jev-oas-sentinel overlooks."""
    yield from _component_breaks(old, new)
    before, after = operations(old), operations(new)
    for name in before.keys() & after.keys():
        for part in (_access_breaks, _request_breaks, _response_breaks):
            yield from (f"{name}: {text}" for text in part(before[name], after[name]))


def found_by_sentinel(old: Path, new: Path) -> Iterator[str]:
    """The breaking changes that jev-oas-sentinel reports."""
    if not SENTINEL.exists():
        sys.stderr.write("*** SKIPPED: jev-oas-sentinel is missing: `make tools` installs it ***\n")
        if os.environ.get("CI") == "true":
            yield "jev-oas-sentinel is missing"
        return
    offline = ("--no-jev", "--no-config", "--format", "json")
    done = subprocess.run(  # noqa: S603 - a locked tool
        [SENTINEL, "compare", "--base", old, "--head", new, *offline],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        yield f"jev-oas-sentinel failed: {done.stderr}"
        return
    for finding in json.loads(done.stdout)["findings"]:
        if finding["severity"] == "block":
            yield f"{finding['operation']}: {finding['message']}"


def breaks(released: Path, contract: Path) -> list[str]:
    """Every breaking change between the released contract and the other contract."""
    # The YAML loader in C: the loader in Python takes seconds.
    old, new = (yaml.load(path.read_text(), yaml.CSafeLoader) for path in (released, contract))
    return sorted({*found_by_sentinel(released, contract), *overlooked(old, new)})


def main() -> int:
    """Compare openapi.yaml, or the file in the argument, with the last released contract."""
    contract = Path(sys.argv[1]) if len(sys.argv) > 1 else CONTRACT
    released = newest()
    found = breaks(released, contract)
    for text in found:
        sys.stderr.write(f"BREAKS {released.stem}: {text}\n")
    if not found:
        sys.stdout.write(f"{contract.name} does not break the contract {released.stem}.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
