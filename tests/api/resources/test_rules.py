"""Huawei's rules on a submission, each broken before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.resources.test_submissions import changed, post, refused
from tests.support.gateway import COMPANY, ENTERPRISE_PATH, INDIVIDUAL_PATH, PERSON
from tests.support.sandbox_driver import SandboxDriver

NAMED = {"full_name": (INDIVIDUAL_PATH, PERSON), "legal_name": (ENTERPRISE_PATH, COMPANY)}


@pytest.fixture
def client(shared_client: FlaskClient, sandbox: SandboxDriver) -> FlaskClient:  # noqa: ARG001
    return shared_client


@pytest.mark.parametrize("field", NAMED)
@pytest.mark.parametrize(
    "name",
    [
        "ZHANG SAN",
        "张三",
        "Łukasz Żółć",
        "محمد علي",
        "Иван Петров",
        "Βασίλης",
        "ประยุทธ์",
        "さくら",
        "홍길동",
        "שרה כהן",
        "अमित",
        "O'Brien-Smith Jr. 3",
        "7-Eleven",
        "𠮷田",
        "a" * 256,
        "张" * 256,
        "é",
    ],
)
def test_a_persons_name_in_any_script_is_accepted(
    client: FlaskClient, sandbox: SandboxDriver, field: str, name: str
) -> None:
    path, body = NAMED[field]
    assert post(client, path, changed(body, f"/{field}", name)).status_code == 201
    assert name in sandbox.requests()[0]["body"]


@pytest.mark.parametrize("field", NAMED)
@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("12345", {"NAME"}),
        ("!@#$%^&*", {"NAME"}),
        ("1 2 - 3 !", {"NAME"}),
        ("١٢٣", {"NAME"}),
        ("🙂", {"NAME"}),
        ("", {"LENGTH", "NAME"}),
        ("a" * 257, {"LENGTH"}),
        ("1" * 257, {"LENGTH", "NAME"}),
    ],
)
def test_a_persons_name_without_a_letter_or_too_long_is_refused(
    client: FlaskClient, sandbox: SandboxDriver, field: str, name: str, rules: set[str]
) -> None:
    path, body = NAMED[field]
    response = post(client, path, changed(body, f"/{field}", name))
    assert set(refused(response, sandbox)) == {(f"/{field}", rule) for rule in rules}


@pytest.mark.parametrize("number", ["1", "a" * 32, "0123456789abcdefABCDEFxyz", "Z"])
def test_a_persons_document_number_of_letters_and_digits_is_accepted(
    client: FlaskClient, number: str
) -> None:
    body = changed(PERSON, "/document/number", number)
    assert post(client, INDIVIDUAL_PATH, body).status_code == 201


@pytest.mark.parametrize(
    "number",
    [
        "",
        "a" * 33,
        "E 123",
        "E-123",
        "É123",
        "\uff11\uff12",
        "E/1",
    ],
)
def test_a_persons_document_number_with_other_characters_is_refused(
    client: FlaskClient, sandbox: SandboxDriver, number: str
) -> None:
    response = post(client, INDIVIDUAL_PATH, changed(PERSON, "/document/number", number))
    assert refused(response, sandbox) == [("/document/number", "NUMBER")]


@pytest.mark.parametrize("number", ["1", "91330000-X", "京 (2020) 1", "a" * 32, "a b", "证" * 32])
def test_a_companys_document_number_may_contain_most_characters(
    client: FlaskClient, number: str
) -> None:
    body = changed(COMPANY, "/document/number", number)
    assert post(client, ENTERPRISE_PATH, body).status_code == 201


@pytest.mark.parametrize("number", ["", "a" * 33, *(f"91{one}30" for one in "!@#$%^&*<>\\")])
def test_a_companys_document_number_with_a_special_character_is_refused(
    client: FlaskClient, sandbox: SandboxDriver, number: str
) -> None:
    response = post(client, ENTERPRISE_PATH, changed(COMPANY, "/document/number", number))
    assert refused(response, sandbox) == [("/document/number", "NUMBER")]


BROKEN: list[tuple[str, Any, str]] = [
    ("/full_name", ..., "REQUIRED"),
    ("/full_name", None, "NULL"),
    ("/full_name", 7, "WRONG_TYPE"),
    ("/full_name", ["ZHANG SAN"], "WRONG_TYPE"),
    ("/full_name", "ZHANG \ud800", "WRONG_TYPE"),
    ("/document", ..., "REQUIRED"),
    ("/document", None, "NULL"),
    ("/document", "PASSPORT", "WRONG_TYPE"),
    ("/document", [], "WRONG_TYPE"),
    ("/document/type", ..., "REQUIRED"),
    ("/document/type", None, "NULL"),
    ("/document/type", 2, "WRONG_TYPE"),
    ("/document/number", ..., "REQUIRED"),
    ("/document/number", None, "NULL"),
    ("/document/number", 1234567, "WRONG_TYPE"),
    ("/document/number", True, "WRONG_TYPE"),
    ("/partner_user_id", ..., "REQUIRED"),
    ("/partner_user_id", None, "NULL"),
    ("/partner_user_id", 981, "WRONG_TYPE"),
    ("/partner_user_id", "", "LENGTH"),
    ("/partner_user_id", "x" * 65, "LENGTH"),
    ("/attachments", "photo.jpg", "WRONG_TYPE"),
    ("/attachments", [], "LENGTH"),
    ("/attachments", ["a.jpg"] * 5, "LENGTH"),
]


@pytest.mark.parametrize(("pointer", "value", "rule"), BROKEN)
def test_each_broken_rule_points_to_its_field(
    client: FlaskClient, sandbox: SandboxDriver, pointer: str, value: Any, rule: str
) -> None:
    response = post(client, INDIVIDUAL_PATH, changed(PERSON, pointer, value))
    assert refused(response, sandbox) == [(pointer, rule)]
    problem = response.get_json()
    assert (problem["code"], problem["retry"]) == ("VALIDATION_FAILED", "AFTER_FIX")
    assert problem["errors"][0]["detail"].startswith("The field ")
    assert problem["errors"][0]["detail"].endswith(".")


@pytest.mark.parametrize(
    ("pointer", "value", "at", "rule"),
    [
        ("/attachments", ["a.jpg", 7], "/attachments/1", "WRONG_TYPE"),
        ("/attachments", ["a.jpg", f"{'x' * 252}.jpg"], "/attachments/1", "LENGTH"),
        ("/attachments", ["a.jpg", "b.svg"], "/attachments/1", "ATTACHMENT_FORMAT"),
        ("/representative", {"full_name": "LI"}, "/representative/id_number", "REQUIRED"),
        ("/registration", {"country": "CHN"}, "/registration/country", "COUNTRY"),
        ("/registration", {"town": "X"}, "/registration", "UNKNOWN_FIELD"),
    ],
)
def test_a_broken_rule_of_a_nested_field_points_to_that_field(
    client: FlaskClient, sandbox: SandboxDriver, pointer: str, value: Any, at: str, rule: str
) -> None:
    response = post(client, ENTERPRISE_PATH, changed(COMPANY, pointer, value))
    assert refused(response, sandbox) == [(at, rule)]


@pytest.mark.parametrize(
    ("pointer", "at"),
    [
        ("/fullname", ""),
        ("/domainId", ""),
        ("/verifiedStatus", ""),
        ("/platform_id", ""),
        ("/customer_id", ""),
        ("/document/issuer", "/document"),
        ("/", ""),
        ("/a~b", ""),
    ],
)
def test_an_unknown_field_is_refused_with_a_pointer_to_it(
    client: FlaskClient, sandbox: SandboxDriver, pointer: str, at: str
) -> None:
    response = post(client, INDIVIDUAL_PATH, changed(PERSON, pointer, "x"))
    assert refused(response, sandbox) == [(at, "UNKNOWN_FIELD")]


def test_an_empty_body_is_refused_with_every_required_field(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert set(refused(post(client, INDIVIDUAL_PATH, {}), sandbox)) == {
        ("/full_name", "REQUIRED"),
        ("/document", "REQUIRED"),
    }
