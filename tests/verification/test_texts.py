"""One rule for every text field: real names are accepted, unprintable texts are refused."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from marshmallow import Schema

from app.api.resources.bodies import EnterpriseSchema, IndividualSchema
from app.fields import Nested
from app.texts import PlainText, Texts
from tests.api.resources.test_submissions import changed
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import (
    COMPANY_FORM,
    ENTERPRISE,
    FORMS,
    INDIVIDUAL,
    PERSON_FORM,
    Form,
    fields_at_fault,
    submit,
)
from tests.verification.conftest import Build

NAMES = [
    entry["name"]
    for entry in json.loads((Path(__file__).parents[1] / "vectors/names.json").read_text("utf-8"))
]
BACKENDS = ("legacy", "review")
# Huawei's fields for the free text fields of the contract.
SENT = {
    ("legacy", "/full_name"): "name",
    ("legacy", "/legal_name"): "name",
    ("legacy", "/partner_user_id"): "xaccountId",
    ("review", "/full_name"): "name",
    ("review", "/legal_name"): "corp_name",
    ("review", "/registration/address"): "reg_address",
    ("review", "/representative/full_name"): "legel_name",
}


@pytest.mark.parametrize(("backend", "pointer"), SENT)
def test_a_name_in_any_script_reaches_huawei_byte_for_byte(
    shared: Build, sandbox: SandboxDriver, backend: str, pointer: str, subtests: pytest.Subtests
) -> None:
    client = shared(backend=backend)
    form = PERSON_FORM if pointer == "/full_name" else COMPANY_FORM
    longest = 64 if pointer == "/partner_user_id" else 255
    names = [name for name in NAMES if len(name) <= longest]
    for number, name in enumerate(names):
        with subtests.test(name):
            body = changed(form.body, pointer, name)
            response = submit(client, form, body, customer=f"cust-{number}")
            assert response.status_code in (201, 202), response.text
    for name, entry in zip(names, sandbox.submissions(), strict=True):
        with subtests.test(name):
            sent = f'"{SENT[backend, pointer]}":{json.dumps(name, ensure_ascii=False)}'
            assert sent in entry["body"]


CONTROLS = "\x00\t\n\r\x1b\x7f\x85\u2028\u2029"
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
INVISIBLE = (
    "\xad\u034f\u115f\u1160\u17b4\u180b\u180e\u200b\u200c\u200d\u2060\u2063\u206a\u2800\u3164"
    "\ufe00\ufe0f\ufeff\uffa0\ufff9\U000e0041\U000e0100\U0001d159\U0001d173\U00016fe4"
)
NO_CHARACTERS = "\u0378\ue000\ufdd0\ufffc\ufffd\uffff\U000e0fff\U000f0000\U0002fffe\U0003ffff"
MARK = "Qzx"
BROKEN = [
    *((f"{MARK}{one}Li", "CHARACTERS") for one in CONTROLS + DIRECTIONS + INVISIBLE),
    *((f"{MARK}{one}Li", "CHARACTERS") for one in NO_CHARACTERS),
    *((one, "CHARACTERS") for one in CONTROLS + DIRECTIONS + INVISIBLE + NO_CHARACTERS),
    # A joiner or a selector after a character that it cannot join or select.
    *(
        (text, "CHARACTERS")
        for text in ("张\u200d三", "\u0639 \u200c\u0631", "\u0639\u200c\u200c\u0631")
    ),
    *((text, "CHARACTERS") for text in ("神\ufe00\ufe00", "1\ufe0f", "™\ufe0f", "ᠠ \u180eᠠ")),
    *((blank, "BLANK") for blank in (" ", "  ", "\u3000", "\xa0\u2003", "\u0301", " \u0301 ")),
    *((text, "PADDED") for text in (f" {MARK}", f"{MARK} ", f"{MARK}\xa0", f"\u3000{MARK}")),
    *((text, "PADDED") for text in (f"{MARK}\u2003", f"\u202f{MARK}")),
]


def texts(schema: Schema, parent: str = "") -> Iterator[str]:
    """The pointer of every text field of a schema."""
    for name, field in schema.fields.items():
        pointer = f"{parent}/{name}"
        if isinstance(field, Nested):
            yield from texts(field.schema, pointer)
        elif isinstance(field, Texts):
            assert isinstance(field.inner, PlainText)
            yield f"{pointer}/0"
        else:
            assert isinstance(field, PlainText), f"{pointer} is a text without the rule"
            yield pointer


TEXTS = [(form, pointer) for form in FORMS for pointer in texts(
    IndividualSchema() if form is PERSON_FORM else EnterpriseSchema()
)]  # fmt: skip


def with_text(body: dict[str, Any], pointer: str, text: str) -> dict[str, Any]:
    if pointer == "/attachments/0":
        return {**body, "attachments": [text, *body["attachments"][1:]]}
    return changed(body, pointer, text)


def test_every_text_field_of_the_contract_is_tested() -> None:
    assert {pointer for _, pointer in TEXTS} == {
        *("/full_name", "/legal_name", "/document/type", "/document/number", "/partner_user_id"),
        *("/registration/country", "/registration/address", "/attachments/0"),
        *("/representative/full_name", "/representative/id_number"),
    }


def assert_refused(client: FlaskClient, form: Form, pointer: str, text: str, rule: str) -> None:
    response = submit(client, form, with_text(form.body, pointer, text))
    assert (response.status_code, response.get_json()["code"]) == (422, "VALIDATION_FAILED")
    assert (pointer, rule) in fields_at_fault(response)
    assert MARK not in response.text


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_unprintable_text_is_refused_and_not_repeated(
    shared: Build, sandbox: SandboxDriver, backend: str, subtests: pytest.Subtests
) -> None:
    for text, rule in BROKEN:
        with subtests.test(text=ascii(text)):
            assert_refused(shared(backend=backend), PERSON_FORM, "/full_name", text, rule)
    assert sandbox.requests() == []


FEW = [
    *((f"{MARK}{one}Li", "CHARACTERS") for one in "\x00\x1b\n\u200b\u3164\u202e"),
    *(("\u200b", "CHARACTERS"), ("\u3164", "CHARACTERS"), ("   ", "BLANK"), (f"{MARK} ", "PADDED")),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("form", "pointer"), TEXTS, ids=str)
def test_the_rule_on_unprintable_texts_applies_to_every_text_field(
    shared: Build, sandbox: SandboxDriver, backend: str, form: Form, pointer: str
) -> None:
    for text, rule in FEW:
        assert_refused(shared(backend=backend), form, pointer, text, rule)
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    "country", ["cn", "Cn", "CHN", "C", "C1", "\uff23\uff2e", "中国", "ÇN", "", "C N"]
)
def test_a_country_is_exactly_two_capital_letters(
    shared: Build, sandbox: SandboxDriver, country: str
) -> None:
    for backend in BACKENDS:
        body = changed(ENTERPRISE, "/registration/country", country)
        response = submit(shared(backend=backend), COMPANY_FORM, body)
        assert fields_at_fault(response) == [("/registration/country", "COUNTRY")]
    assert sandbox.requests() == []


def unreadable(text: str) -> bool:
    """An independent form of the rule, without the scripts that need joiners."""
    kinds = {unicodedata.category(one) for one in text}
    bidi = {unicodedata.bidirectional(one) for one in text}
    controls = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return (
        bool(kinds & {"Cc", "Co", "Cs", "Zl", "Zp"} or bidi & controls)
        or text.strip() != text
        or not any(kind[0] in "LNPSC" for kind in kinds)
    )


TRICKY = st.sampled_from(CONTROLS + DIRECTIONS + INVISIBLE + NO_CHARACTERS + " \u3000\u0301")
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]) | TRICKY, min_size=1, max_size=40)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=ANYTHING | st.sampled_from(NAMES).flatmap(lambda name: st.builds(
    lambda place, odd: name[:place] + odd + name[place:], st.integers(0, len(name)), TRICKY
)), backend=st.sampled_from(BACKENDS))  # fmt: skip
@example(name="张\u3164", backend="legacy")
def test_every_text_that_the_gateway_sends_passes_an_independent_check(
    shared: Build, sandbox: SandboxDriver, name: str, backend: str
) -> None:
    sandbox.forget_requests()
    sandbox.forget_customer("cust-0001")
    response = submit(shared(backend=backend), body={**INDIVIDUAL, "full_name": name})
    if response.status_code == 422:
        assert (
            response.get_json()["code"] == "VALIDATION_FAILED"
        )  # refused by the gateway and not by the sandbox
        assert sandbox.requests() == []
    else:
        assert response.status_code in (201, 202)
        assert not unreadable(name)
        (entry,) = sandbox.submissions()
        assert json.loads(entry["body"])["name"] == name


PLAIN = st.text(st.characters(categories=["L", "N"], codec="utf-8"), min_size=1)
WORDS = st.lists(PLAIN, min_size=1, max_size=4).map(" ".join).filter(lambda text: len(text) < 200)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS)
def test_letters_and_digits_of_any_script_are_never_refused(
    shared: Build, sandbox: SandboxDriver, words: str
) -> None:
    sandbox.forget_customer("cust-0001")
    if not set(words) & set(
        "\u115f\u1160\u3164\uffa0"
    ):  # invisible characters in the category of letters
        name = f"a {words}"
        response = submit(shared(backend="legacy"), body={**INDIVIDUAL, "full_name": name})
        assert response.status_code == 201


def test_no_pattern_is_published_on_a_text_field(legacy: FlaskClient) -> None:
    schemas = legacy.get("/openapi.json").get_json()["components"]["schemas"]
    for name in ("Individual", "Enterprise", "Registration", "Representative"):
        assert "pattern" not in json.dumps(schemas[name])
