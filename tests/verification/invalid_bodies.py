"""Bodies that break the contract's rules on both backends."""

from __future__ import annotations

from typing import Any

from tests.support.verifications import (
    COMPANY_FORM,
    ENTERPRISE,
    INDIVIDUAL,
    PERSON_FORM,
    Form,
    without,
)

DOCUMENT = INDIVIDUAL["document"]


# body -> its broken rules
INVALID: list[tuple[Form, dict[str, Any], list[tuple[str, str]]]] = [
    (PERSON_FORM, without(INDIVIDUAL, "full_name"), [("/full_name", "REQUIRED")]),
    (PERSON_FORM, {**INDIVIDUAL, "full_name": "12 34"}, [("/full_name", "NAME")]),
    (PERSON_FORM, {**INDIVIDUAL, "full_name": "x" * 257}, [("/full_name", "LENGTH")]),
    (PERSON_FORM, {**INDIVIDUAL, "verified": True}, [("", "UNKNOWN_FIELD")]),
    (
        PERSON_FORM,
        {**INDIVIDUAL, "document": {**DOCUMENT, "number": "E-12"}},
        [("/document/number", "NUMBER")],
    ),
    (
        PERSON_FORM,
        {**INDIVIDUAL, "document": {**DOCUMENT, "type": "BUSINESS_LICENSE"}},
        [("/document/type", "NOT_ALLOWED")],
    ),
    (
        PERSON_FORM,
        {**INDIVIDUAL, "document": {}, "partner_user_id": ""},
        [
            ("/document/number", "REQUIRED"),
            ("/document/type", "REQUIRED"),
            ("/partner_user_id", "LENGTH"),
        ],
    ),
    (PERSON_FORM, {**INDIVIDUAL, "attachments": []}, [("/attachments", "LENGTH")]),
    (PERSON_FORM, {**INDIVIDUAL, "attachments": ["a.jpg"] * 5}, [("/attachments", "LENGTH")]),
    (PERSON_FORM, {**INDIVIDUAL, "attachments": ["a.jpg", 1]}, [("/attachments/1", "WRONG_TYPE")]),
    (COMPANY_FORM, {**ENTERPRISE, "full_name": "LI SI"}, [("", "UNKNOWN_FIELD")]),
    (
        COMPANY_FORM,
        {**ENTERPRISE, "representative": {"full_name": "LI SI"}, "registration": None},
        [("/registration", "NULL"), ("/representative/id_number", "REQUIRED")],
    ),
]
