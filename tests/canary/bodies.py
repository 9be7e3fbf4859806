"""Request bodies as the contract describes them, with a marker in every field."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.canary.markers import Markers

CODE = "Qy7#kX"  # a verification code has six characters: too few for a marker's core
# A marker format that the contract accepts, for each free text field. The test fails for a new
# field of the contract until its format is added.
FORMS = {
    "/full_name": "QANARY {core} Ångström 张",
    "/legal_name": "QANARY {core} Trading & Co. 公司",
    "/document/number": "QANARY{core}",
    "/registration/address": "QANARY {core} Road, 12/3",
    "/representative/full_name": "QANARY {core} Ölander 李",
    "/representative/id_number": "QANARY{core}",
    "/partner_user_id": "QANARY-{core}",
    "/email": "QANARY-{core}@example.com",
    "/account_name": "QANARY-{core}",
    "/password": "QANARY-{core}",
    "/code": CODE,
    "/reason": "QANARY {core} did not pay; asked for by Ms Østby 王",
    "/attachments/0": "QANARY-{core}/first.jpg",
    "/attachments/1": "QANARY-{core}/second.jpg",
}
CUSTOMER = "{customer_id}"  # stands for the customer of the path
# Two letters, and words of a list, are too common for a marker; an amount is a number.
FIXED = {
    "/registration/country": "CN",
    "/amount": "500.00",
    "/period": "ONCE",
    "/when_exceeded": "FREEZE",
    "/unfreeze": True,
    "/country": "SG",
    "/marketing": False,
    "/resources": True,
    "/confirm": CUSTOMER,
}
CHOICES = {
    "submitIndividualVerification": "PASSPORT",
    "submitEnterpriseVerification": "BUSINESS_LICENSE",
    "changeToEnterpriseVerification": "ORGANIZATION_CODE",
    "sendRegistrationCode": "EN",
}
# Fields that exclude another field.
EXCLUDED = {"checkRegistration": ("account_name",)}


def operations(contract: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation."""
    for path, methods in contract["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "put", "post", "patch", "delete"):
                yield method.upper(), path, operation


def full_body(
    contract: Mapping[str, Any], operation: Mapping[str, Any], markers: Markers
) -> dict[str, Any]:
    """A body that an operation accepts, with every field."""
    content = operation["requestBody"]["content"]["application/json"]
    name = operation["operationId"]
    body: dict[str, Any] = _value(contract, content["schema"], name, "", markers)
    return body


def _value(
    contract: Mapping[str, Any],
    schema: Mapping[str, Any],
    name: str,
    pointer: str,
    markers: Markers,
) -> Any:
    while "$ref" in schema:
        found: Any = contract
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    for part in schema.get("allOf", ()):
        return _value(contract, part, name, pointer, markers)
    if schema["type"] == "object":
        return {
            key: _value(contract, inner, name, f"{pointer}/{key}", markers)
            for key, inner in schema["properties"].items()
            if pointer or key not in EXCLUDED.get(name, ())
        }
    if schema["type"] == "array":
        return [
            _value(contract, schema["items"], name, f"{pointer}/{place}", markers)
            for place in range(2)
        ]
    if pointer in FIXED:
        return FIXED[pointer]
    assert schema["type"] == "string", f"{name}{pointer}: no marker for {schema['type']}"
    if "enum" in schema:
        assert CHOICES[name] in schema["enum"], f"{name}{pointer}: choose one of its values"
        return CHOICES[name]
    assert pointer in FORMS, f"{name}{pointer}: no marker for this field"
    return markers.mark(f"{name}{pointer}", FORMS[pointer])


def leaves(value: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value that is neither object nor list."""
    if isinstance(value, dict | list):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in entries:
            yield from leaves(inner, (*steps, key))
    else:
        yield steps


def _with(body: dict[str, Any], steps: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(body)
    place: Any = changed
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = value
    return changed


def spoiled(body: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Bodies with one error each, for every kind of error of a calling program."""
    for steps in leaves(body):
        value = steps and _at(body, steps)
        for wrong in (
            [value],
            {value: value},
            f"{value}!{'x' * 300}",
            f"{value}\ud800",
            f"<{value}>",
        ):
            yield "a wrong value", json.dumps(_with(body, steps, wrong)).encode()
        yield (
            "a field that is not known",
            json.dumps(
                _with(body, (*steps[:-1], value) if isinstance(steps[-1], str) else steps, value)
            ).encode(),
        )
    text = json.dumps(body, ensure_ascii=False)
    yield "half of it", text.encode()[: len(text) // 2]
    yield "two of them", f"{text}{text}".encode()
    yield "a list", f"[{text}]".encode()
    yield "a string", json.dumps(text).encode()
    yield "a field twice", f'{{"full_name": {json.dumps(text)}, {text[1:]}'.encode()
    yield "no number", f'{{"x": NaN, {text[1:]}'.encode()
    yield "other letters", text.encode("utf-16")
    yield "no UTF-8", text.encode() + b"\xff"
    yield "too deep", b"[" * 5000 + text.encode()
    yield "too long", text.encode() + b" " * 70_000 + text.encode()


def _at(body: Any, steps: tuple[Any, ...]) -> Any:
    for step in steps:
        body = body[step]
    return body
