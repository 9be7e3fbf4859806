"""The gateway overrides no private method of a library but those of decision 0016."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import app

EXCEPTIONS = {"app.huawei.transport.connection.Connection._new_conn"}
DOCUMENTED = {"_serialize", "_deserialize"}  # by marshmallow's guide to custom fields


def own_classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(app.__path__, "app."):
        for one in vars(import_module(module.name)).values():
            if inspect.isclass(one) and one.__module__ == module.name:
                yield one


def private_methods(kind: type) -> set[str]:
    methods = {name for name, value in vars(kind).items() if inspect.isroutine(value)}
    return {name for name in methods if name.startswith("_") and not name.endswith("__")}


def test_no_class_overrides_a_private_method_of_a_library() -> None:
    found = {
        f"{kind.__module__}.{kind.__qualname__}.{name}"
        for kind in own_classes()
        for base in kind.__mro__[1:]
        if base.__module__.partition(".")[0] not in ("app", "builtins", "enum", "typing")
        for name in private_methods(kind) & private_methods(base) - DOCUMENTED
    }
    assert found == EXCEPTIONS
