"""The configuration of the gateway in tests of verifications, and the requests of its callers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.settings import Settings
from tests.support.bucket import OBS_ACCESS_KEY, OBS_SECRET_KEY, REGION
from tests.support.gateway import COMPANY, CUSTOMER, PERSON, altered, bearer, configuration

BUCKET = "kyc"

# One body for both backends, with the fields that only one of them needs.
INDIVIDUAL: dict[str, Any] = {**PERSON, "attachments": ["981/data-page.jpg", "981/holding.jpg"]}
ENTERPRISE: dict[str, Any] = {
    **COMPANY,
    "registration": {"country": "CN", "address": "1 Example Road"},
    "representative": {"full_name": "LI SI", "id_number": "E7654321"},
    "attachments": ["77/licence.jpg", "77/back.png", "77/id-front.pdf", "77/id-back.gif"],
}


@dataclass(frozen=True)
class Form:
    """One of the three submissions."""

    path: str
    kind: str
    body: dict[str, Any]
    applies: str  # the sandbox's name for the v2 call

    def __str__(self) -> str:
        return self.path


PERSON_FORM = Form("individual", "INDIVIDUAL", INDIVIDUAL, "individual")
COMPANY_FORM = Form("enterprise", "ENTERPRISE", ENTERPRISE, "enterprise")
CHANGE_FORM = Form("enterprise-change", "ENTERPRISE_CHANGE", ENTERPRISE, "change")
FORMS = (PERSON_FORM, COMPANY_FORM, CHANGE_FORM)


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    """The body without these members."""
    return {name: value for name, value in body.items() if name not in names}


def documented(body: dict[str, Any], document: str, *attachments: str) -> dict[str, Any]:
    """The body with another document type, and other attachments if given."""
    changed = {**body, "document": {**body["document"], "type": document}}
    return changed | ({"attachments": list(attachments)} if attachments else {})


def with_bucket(settings: Settings, folder: Path, **changes: Any) -> Settings:
    """The settings with the sandbox's bucket for attachments."""
    files = {"access_key_file": folder / "bucket-ak", "secret_key_file": folder / "bucket-sk"}
    for path, text in zip(files.values(), (OBS_ACCESS_KEY, OBS_SECRET_KEY), strict=True):
        path.write_text(f"{text}\n")
    endpoint = settings.accounts["default"].endpoint
    bucket = {"endpoint": endpoint, "bucket": BUCKET, "region": REGION, **files, **changes}
    if bucket.get("addressing") != "path":
        # An IP address cannot have the bucket as a subdomain.
        bucket["endpoint"] = bucket["endpoint"].replace("127.0.0.1", "localhost")
    return altered(settings, attachments=bucket)


def configured(folder: Path, sandbox_url: str, **verification: Any) -> Settings:
    """Settings for the sandbox, in which the writer may also upload."""
    document = configuration(folder, sandbox_url)
    document["callers"]["writer"]["scopes"].append("attachments:write")
    settings = with_bucket(Settings.model_validate(document), folder)
    return altered(settings, verification=verification)


def submit(
    client: FlaskClient,
    form: Form = PERSON_FORM,
    body: dict[str, Any] | None = None,
    *,
    customer: str = CUSTOMER,
    query: str = "",
    key: str = "writer-key",
    wait: int | None = None,
) -> TestResponse:
    """Submit a verification, with the form's own body by default.

    `wait` is the caller's deadline: one second leaves the gateway no time for a retry.
    """
    path = f"/v1/customers/{customer}/verifications/{form.path}{query}"
    headers = {**bearer(key), **({"Prefer": f"wait={wait}"} if wait else {})}
    return client.post(path, json=form.body if body is None else body, headers=headers)


def read(
    client: FlaskClient, customer: str = CUSTOMER, *prefer: str, key: str = "reader-key"
) -> TestResponse:
    """Read a verification; each `prefer` becomes a separate header."""
    headers = [*bearer(key).items(), *(("Prefer", value) for value in prefer)]
    return client.get(f"/v1/customers/{customer}/verification", headers=headers)


def upload(
    client: FlaskClient,
    name: str,
    content: bytes,
    *,
    customer: str = CUSTOMER,
    key: str = "writer-key",
    **how: Any,
) -> TestResponse:
    """Upload an attachment."""
    path = f"/v1/customers/{customer}/attachments/{quote(name)}"
    return client.put(path, data=content, headers=bearer(key), **how)


def fields_at_fault(response: TestResponse) -> list[tuple[str, str]]:
    """Pointer and code of every broken rule of a problem."""
    return sorted((one["pointer"], one["code"]) for one in response.get_json().get("errors", ()))


def parameters_at_fault(response: TestResponse) -> list[tuple[str, str]]:
    """Parameter and code of every rule of a problem that a query or a header breaks."""
    errors = response.get_json().get("errors", ())
    assert not [one for one in errors if "pointer" in one]
    return sorted((one["parameter"], one["code"]) for one in errors)


def personal_values(body: Any) -> set[str]:
    """Every personal text in a body."""
    if isinstance(body, dict):
        return set().union(*(personal_values(v) for k, v in body.items() if k != "type"))
    if isinstance(body, list):
        return set().union(*map(personal_values, body))
    return {body} if len(body) > 2 else set()  # the two letters of a country occur in any text
