"""A draft that breaks a rule of Huawei: each error names our field, and nothing may be sent."""

from __future__ import annotations

import pytest

from app.verification.backends import Backend, LegacyBackend, ReviewBackend
from app.verification.model import Kind

DOCUMENT = {"/document/type": "DOCUMENT_TYPE_UNSUPPORTED", "/document/number": "REQUIRED"}
LEGACY = {
    "/platform_id": "REQUIRED",
    "/partner_user_id": "REQUIRED",
    "/customer_id": "REQUIRED",
    **DOCUMENT,
}
# mc_00017 to mc_00019
REVIEW = {
    "/platform_id": "REQUIRED",
    "/customer_id": "REQUIRED",
    "/attachments": "EVIDENCE_REQUIRED",
    **DOCUMENT,
}
PERSON = {"/full_name": "REQUIRED"}
COMPANY = {"/legal_name": "REQUIRED"}
# Huawei wants both of a representative that is named.
REPRESENTED = {
    "/representative/full_name": "REQUIRED",
    "/representative/id_number": "REQUIRED",
}


@pytest.mark.parametrize(
    ("backend", "kind", "required"),
    [
        (LegacyBackend, Kind.INDIVIDUAL, LEGACY | PERSON),
        (LegacyBackend, Kind.ENTERPRISE, LEGACY | COMPANY),
        (LegacyBackend, Kind.ENTERPRISE_CHANGE, LEGACY | COMPANY),
        (ReviewBackend, Kind.INDIVIDUAL, REVIEW | PERSON),
        (ReviewBackend, Kind.ENTERPRISE, REVIEW | COMPANY | REPRESENTED),
        (ReviewBackend, Kind.ENTERPRISE_CHANGE, REVIEW | COMPANY | REPRESENTED),
    ],
)
def test_a_draft_names_each_of_our_fields_that_huawei_requires(
    backend: type[Backend], kind: Kind, required: dict[str, str]
) -> None:
    draft = backend.schemas[kind].draft({"representative": {}})  # type: ignore[index]
    assert {error.pointer: error.code for error in draft.errors} == required


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Kind.INDIVIDUAL, "full_name"),
        (Kind.ENTERPRISE, "legal_name"),
        (Kind.ENTERPRISE_CHANGE, "legal_name"),
    ],
)
@pytest.mark.parametrize(("length", "accepted"), [(1, True), (255, True), (256, False)])
def test_a_name_on_the_review_backend_has_at_most_255_characters(
    kind: Kind, name: str, length: int, accepted: bool
) -> None:
    draft = ReviewBackend.schemas[kind].draft({name: "x" * length})
    found = [error.code for error in draft.errors if error.pointer == f"/{name}"]
    assert found == ([] if accepted else ["LENGTH"])
