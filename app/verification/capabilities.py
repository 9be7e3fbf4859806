"""The document types that an account accepts, their attachments, and the limits."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.verification import pictures
from app.verification.backends import legacy, review
from app.verification.model import ENTERPRISE_DOCUMENTS, INDIVIDUAL_DOCUMENTS, Kind

LIMITS = {
    "name_characters": 256,
    "name_characters_review": 255,
    "number_characters": 32,
    "attachments": pictures.MAX_PICTURES,
    "attachment_bytes": pictures.MAX_BYTES,
    "attachment_formats": list(pictures.FORMATS),
}

_TYPES: Mapping[str, Mapping[Kind, Mapping[str, int]]] = {
    "legacy": legacy.TYPES,
    "review": review.TYPES,
}


def _pictures(kind: Kind, document: str) -> dict[str, Any]:
    if kind is Kind.INDIVIDUAL:
        shown = pictures.PERSON[document]
        return {"minimum": len(shown), "maximum": len(shown), "pictures": list(shown)}
    shown = pictures.COMPANY
    return {"minimum": 1, "maximum": pictures.MAX_PICTURES, "pictures": list(shown)}


def documents(backends: Iterable[str]) -> list[dict[str, Any]]:
    """The document types that these backends accept, with the attachments for a review."""
    listed = []
    for kind, types in (
        (Kind.INDIVIDUAL, INDIVIDUAL_DOCUMENTS),
        (Kind.ENTERPRISE, ENTERPRISE_DOCUMENTS),
    ):
        for document in types:
            accepting = [name for name in backends if document in _TYPES[name][kind]]
            if not accepting:
                continue
            entry: dict[str, Any] = {"type": document, "kind": kind.value, "backends": accepting}
            # On every account, because every backend refuses a wrong number of attachments.
            if document in review.TYPES[kind]:
                entry["attachments"] = _pictures(kind, document)
            listed.append(entry)
    return listed
