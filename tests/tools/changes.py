"""Changes of the contract: breaking ones, and additions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Contract = dict[str, Any]
Change = Callable[[Contract], Any]

SUBMIT = "/v1/customers/{customer_id}/verifications/individual"
READ = "/v1/customers/{customer_id}/verification"
JSON = "application/json"


def schema(contract: Contract, name: str) -> Contract:
    found: Contract = contract["components"]["schemas"][name]
    return found


def operation(contract: Contract, path: str = SUBMIT, method: str = "post") -> Contract:
    found: Contract = contract["paths"][path][method]
    return found


def response(contract: Contract, name: str) -> Contract:
    found: Contract = contract["components"]["responses"][name]
    return found


def status_of_success(contract: Contract) -> None:
    responses = operation(contract)["responses"]
    responses["204"] = responses.pop("202")


def parameter_needed(contract: Contract) -> None:
    contract["components"]["parameters"]["IdempotencyKey"]["required"] = True


def rename_problem(contract: Contract) -> None:
    text = json.dumps(contract).replace('schemas/Problem"', 'schemas/Fault"')
    contract.update(json.loads(text.replace('"Problem": {', '"Fault": {')))


# A breaking change, and a word that the report must contain.
BREAKS: dict[str, tuple[Change, str]] = {
    "an operation is removed": (lambda c: c["paths"].pop("/v1/capabilities"), "removed"),
    "a method is removed": (lambda c: c["paths"][READ].pop("get"), "removed"),
    "a field of an answer is removed": (
        lambda c: schema(c, "Verification")["properties"].pop("rejection"),
        "rejection",
    ),
    "a field of a problem is removed": (
        lambda c: schema(c, "Problem")["properties"].pop("retry_after_s"),
        "retry_after_s",
    ),
    "a field of a request is removed": (
        lambda c: schema(c, "Individual")["properties"].pop("partner_user_id"),
        "partner_user_id",
    ),
    "a field of a request becomes required": (
        lambda c: schema(c, "Individual")["required"].append("partner_user_id"),
        "partner_user_id",
    ),
    "a new field of a request is required": (
        lambda c: schema(c, "Individual").update(
            properties={**schema(c, "Individual")["properties"], "birthday": {"type": "string"}},
            required=[*schema(c, "Individual")["required"], "birthday"],
        ),
        "birthday",
    ),
    "a field of an answer is not sent always": (
        lambda c: schema(c, "Problem")["required"].remove("retry"),
        "retry",
    ),
    "an enum is narrowed": (
        lambda c: schema(c, "IndividualDocumentType")["enum"].remove("PASSPORT"),
        "enum",
    ),
    "a parameter is removed": (
        lambda c: operation(c)["parameters"].pop(
            [one.get("name") for one in operation(c)["parameters"]].index("validate_only")
        ),
        "validate_only",
    ),
    "a parameter becomes required": (parameter_needed, "Idempotency-Key"),
    "the status of a success is another": (status_of_success, "202"),
    "the status of a failure is removed": (
        lambda c: operation(c)["responses"].pop("409"),
        "409",
    ),
    "a field of an answer changes its type": (
        lambda c: schema(c, "Verification")["properties"]["final"].update(type="string"),
        "final",
    ),
    "a media type is another": (
        lambda c: response(c, "Write409").update(
            content={JSON: response(c, "Write409")["content"].popitem()[1]}
        ),
        "application/problem+json",
    ),
}


# Breaking changes that jev-oas-sentinel overlooks.
OVERLOOKED: dict[str, tuple[Change, str]] = {
    "an enum appears in a request": (
        lambda c: schema(c, "Registration")["properties"]["country"].update(enum=["CN"]),
        "enum",
    ),
    "a limit is lowered": (
        lambda c: schema(c, "Individual")["properties"]["full_name"].update(maxLength=64),
        "maxLength",
    ),
    "a limit of a parameter is lowered": (
        lambda c: c["components"]["parameters"]["IdempotencyKey"]["schema"].update(maxLength=64),
        "maxLength",
    ),
    "a parameter changes its type": (
        lambda c: c["components"]["parameters"]["Prefer"]["schema"].update(type="integer"),
        "Prefer",
    ),
    "a pattern appears": (
        lambda c: schema(c, "IndividualDocument")["properties"]["number"].update(pattern="^E"),
        "pattern",
    ),
    "a field of an answer changes its format": (
        lambda c: schema(c, "Verification")["properties"]["checked_at"].pop("format"),
        "format",
    ),
    "a header of an answer is removed": (
        lambda c: operation(c)["responses"]["202"]["headers"].pop("Retry-After"),
        "Retry-After",
    ),
    "another scope is asked for": (
        lambda c: operation(c).update({"x-required-scope": "operations:read"}),
        "scope",
    ),
    "an open operation asks for a credential": (
        lambda c: operation(c, "/v1/errors", "get").update(security=[{"callerKey": []}]),
        "security",
    ),
    "the credential is of another kind": (
        lambda c: c["components"]["securitySchemes"]["callerKey"].update(scheme="basic"),
        "callerKey",
    ),
    "an answer is closed": (
        lambda c: schema(c, "Verification").update(additionalProperties=False),
        "closed",
    ),
    "an operation has another name": (
        lambda c: operation(c).update(operationId="submitPerson"),
        "operationId",
    ),
    "a schema has another name": (rename_problem, "Problem"),
}


ADDITIONS: dict[str, Change] = {
    "an operation": lambda c: c["paths"].update(
        {"/v1/moons": {"get": {**operation(c, "/v1/errors", "get"), "operationId": "listMoons"}}}
    ),
    "a field of an answer": lambda c: schema(c, "Verification")["properties"].update(
        risk={"type": "string"}
    ),
    "a field of an answer that is always sent": lambda c: schema(c, "Problem")["required"].append(
        "retry_after_s"
    ),
    "an optional field of a request": lambda c: schema(c, "Individual")["properties"].update(
        birthday={"type": "string", "maxLength": 10}
    ),
    "an optional parameter": lambda c: operation(c)["parameters"].append(
        {"in": "query", "name": "colour", "schema": {"type": "string", "enum": ["RED"]}}
    ),
    "a word of an enum": lambda c: schema(c, "IndividualDocumentType")["enum"].append(
        "DRIVING_LICENCE"
    ),
    "a field that is optional now": lambda c: schema(c, "Enterprise")["required"].remove(
        "legal_name"
    ),
    "a status": lambda c: operation(c)["responses"].update(
        {"423": operation(c)["responses"]["409"]}
    ),
    "a header of an answer": lambda c: operation(c)["responses"]["202"]["headers"].update(
        ETag={"schema": {"type": "string"}}
    ),
    "another kind of credential": lambda c: (
        c["components"]["securitySchemes"].update(token={"type": "http", "scheme": "bearer"}),
        operation(c)["security"].append({"token": []}),
    ),
    "a deprecation": lambda c: operation(c).update(deprecated=True),
    "better words": lambda c: operation(c).update(summary="Submit somebody.", description="So."),
}
