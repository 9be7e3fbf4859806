"""Huawei's error codes: each has its documented meaning, whatever the HTTP status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.errors import ErrorCode, Upstream
from app.huawei import codes
from app.huawei.answer import Answer
from app.huawei.transport import Reply
from app.settings import Settings
from app.verification.backends.legacy import PUSH
from tests.support.gateway import PERSON, altered, bearer, code, configuration, submit
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver

LISTED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors/huawei_codes.json").read_text()
)["codes"]
MEANINGS = {entry["code"]: entry["problem"] for entry in LISTED}
STATUSES = (200, 400, 403, 404, 429, 500)
SENT = (200, 400)  # over HTTP: a failure of Huawei comes with either

# The meaning of these depends on text, status or operation; see the tests below.
BY_CIRCUMSTANCE = {"APIGW.0101", "APIGW.0201", "APIGW.0301"}

# Families of codes that a submission of the gateway cannot receive.
DELIBERATELY_UNMAPPED = {
    "no page says what they mean": {"CBC.0157", "CBC.0159", "CBC.1013", "CBC.0300"},
    "creating customers, verification codes": {
        *("CBC.5017", "CBC.99000004", "CBC.99000027", "CBC.99000029", "CBC.99000030"),
        *("CBC.99000031", "CBC.99000036", "CBC.99004003", "CBC.99000038", "CBC.99000039"),
        *("CBC.99000050", "CBC.99000051", "CBC.50010059", "CBC.50010065", "CBC.50010085"),
        *("CBC.50010086", "CBC.99004008", "CBC.99004009", "CBC.99004010", "CBC.99004015"),
    },
    "a customer's own calls": {"CBC.18000048", "CBC.99007297"},
    "freezing": {"CBC.70300007"},
    "coupons": {"CBC.50000054", "CBC.50000055", "CBC.99000012"},
    "orders, resources and renewals": {
        *("CBC.3002", "CBC.3006", "CBC.3016", "CBC.30050006", "CBC.30050007", "CBC.30050008"),
        *("CBC.30050009", "CBC.30050010", "CBC.30050011", "CBC.30050012", "CBC.30050013"),
        *("CBC.30000053", "CBC.3106", "CBC.3112", "CBC.3124", "CBC.3144", "CBC.3185"),
        *("CBC.99000092", "CBC.99003016", "CBC.99003100", "CBC.99003115", "CBC.99003155"),
        *("CBC.99003647", "CBC.99003651", "CBC.99005026", "CBC.30000010"),
    },
    "prices": {
        *("CBC.99006006", "CBC.99006016", "CBC.99006017", "CBC.99006024", "CBC.99006050"),
        *("CBC.99006055", "CBC.99006073", "CBC.99006074"),
    },
}


def customer(name: str, status: int) -> str:
    """The customer id that makes the sandbox answer with this code and status."""
    return f"code-{name.replace('.', '-')}-{status}"


def of(name: str) -> list[str]:
    """The code in both spellings of the API gateway's prefix."""
    return [name, name.replace("APIGW.", "APIG.")] if "APIGW" in name else [name]


@pytest.mark.parametrize("name", sorted(MEANINGS.keys() - BY_CIRCUMSTANCE))
def test_a_code_of_huawei_has_one_meaning_whatever_the_status(name: str) -> None:
    for prefix in of(name):
        content = json.dumps({"error_code": prefix, "error_msg": "a text"}).encode()
        for status in STATUSES:
            failure = Answer.of(PUSH, Reply(status, {}, content)).failure
            assert failure is not None
            assert failure.code.name == (MEANINGS[name] or "UPSTREAM_UNMAPPED")
            assert failure.upstream == Upstream(prefix, status)


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Settings:
    """One account for each call of a test: a refused key is suspended."""
    folder = tmp_path_factory.mktemp("accounts")
    document = configuration(folder, sandbox_url)
    template = document["accounts"]["default"]
    document["accounts"] = {}
    for number in range(2 * len(SENT)):
        (folder / f"ak{number}").write_text(f"AK{number}")
        (folder / f"sk{number}").write_text(f"SK{number}")
        files = {
            "access_key_file": f"{folder}/ak{number}",
            "secret_key_file": f"{folder}/sk{number}",
        }
        document["accounts"][f"a{number}"] = {**template, "credentials": [files]}
    writer = document["callers"]["writer"]
    document["callers"] = {"writer": {**writer, "accounts": list(document["accounts"])}}
    return Settings.model_validate(document)


@pytest.mark.parametrize("name", sorted(name for name, problem in MEANINGS.items() if problem))
def test_a_caller_gets_the_meaning_of_a_code_of_huawei(
    accounts: Settings, sandbox: SandboxDriver, name: str
) -> None:
    sandbox.access_keys(
        **{f"AK{number}": {"secret_key": f"SK{number}"} for number in range(len(accounts.accounts))}
    )
    client = create_app(accounts).test_client()
    sent = [(prefix, status) for prefix in of(name) for status in SENT]
    answered = {}
    for account, (prefix, status) in zip(accounts.accounts, sent, strict=False):
        path = f"/v1/customers/{customer(prefix, status)}/verifications/individual"
        headers = bearer() | {"Partner-Account": account}
        response = client.post(path, json=PERSON, headers=headers)
        problem = response.get_json()
        answered[prefix, status] = (problem["code"], response.status_code)
        assert problem["upstream"]["code"] == prefix
        assert problem["upstream"]["status"] == status
        assert problem["upstream"]["request_id"]
    expected = ErrorCode[MEANINGS[name]]
    assert answered == dict.fromkeys(sent, (expected.name, expected.status))
    assert len(sandbox.requests()) == len(sent)


def test_every_documented_code_of_huawei_is_mapped_or_excluded_with_a_reason() -> None:
    unmapped = {name for name, problem in MEANINGS.items() if problem is None}
    excused: set[str] = set().union(*DELIBERATELY_UNMAPPED.values())
    assert unmapped == excused | BY_CIRCUMSTANCE
    assert excused.isdisjoint(codes.COMMON)


def test_every_mapped_code_is_documented_by_huawei() -> None:
    assert set(codes.COMMON) <= set(MEANINGS)
    assert all(any(one.startswith(family) for one in MEANINGS) for family in codes.FAMILIES)


@pytest.mark.parametrize("names", DELIBERATELY_UNMAPPED.values(), ids=DELIBERATELY_UNMAPPED)
def test_an_excluded_code_of_huawei_is_unmapped(
    client: FlaskClient, sandbox: SandboxDriver, names: set[str]
) -> None:
    sent = [customer(name, status) for name in sorted(names) for status in SENT]
    assert {code(submit(client, one)) for one in sent} == {"UPSTREAM_UNMAPPED"}
    assert len(sandbox.requests()) == len(sent)


@pytest.mark.parametrize("name", ["CBC.1", "CBC.99999999", "XYZ.1", "APIGW.9999", "APIG.1"])
def test_an_unknown_code_of_huawei_is_unmapped(settings: Settings, name: str) -> None:
    with RawUpstream(answer(200, json.dumps({"error_code": name}))) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert code(submit(client)) == "UPSTREAM_UNMAPPED"


@pytest.mark.parametrize("prefix", ["APIG", "APIGW"])
@pytest.mark.parametrize(
    ("number", "status", "text", "expected"),
    [
        ("0101", 404, "API not exist or not published", "LEGACY_API_RETIRED"),
        ("0101", 200, "", "LEGACY_API_RETIRED"),
        ("0201", 400, "malformed", "INTERNAL_ERROR"),
        ("0201", 413, "too long", "INTERNAL_ERROR"),
        ("0201", 414, "too long", "INTERNAL_ERROR"),
        ("0201", 494, "too long", "INTERNAL_ERROR"),
        ("0201", 500, "internal", "UPSTREAM_ERROR"),
        ("0201", 502, "back end unavailable", "UPSTREAM_ERROR"),
        ("0201", 504, "timeout", "UPSTREAM_ERROR"),
        ("0301", 401, "verify aksk signature fail", "UPSTREAM_ACCESS_DENIED"),
        ("0301", 401, "calc ak sk signature fail:signature expired", "CLOCK_SKEWED"),
        ("0301", 401, "Get secretKey failed,ak:X,err:ak not exist", "UPSTREAM_ACCESS_DENIED"),
        ("0301", 401, "AK access failed to reach the limit,forbidden.", "ACCESS_KEY_LOCKED"),
        ("0301", 401, "decrypt token fail", "UPSTREAM_ACCESS_DENIED"),
        ("0301", 401, "token expires, expires_at: 2026", "UPSTREAM_ACCESS_DENIED"),
        ("0301", 401, "x-auth-token not found", "UPSTREAM_ACCESS_DENIED"),
        ("0301", 200, "", "UPSTREAM_ACCESS_DENIED"),
    ],
)
def test_a_gateway_code_can_depend_on_text_and_status(
    settings: Settings, prefix: str, number: str, status: int, text: str, expected: str
) -> None:
    message = f"Incorrect IAM authentication information: {text}"
    body = json.dumps({"error_msg": message, "error_code": f"{prefix}.{number}"})
    with RawUpstream(answer(status, body)) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert code(submit(client)) == expected


def test_a_locked_access_key_has_a_pause_of_five_minutes(settings: Settings) -> None:
    body = {
        "error_code": "APIGW.0301",
        "error_msg": "AK access failed to reach the limit,forbidden",
    }
    with RawUpstream(answer(401, json.dumps(body))) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        response = submit(client)
    assert 0 < int(response.headers["Retry-After"]) <= 300


@pytest.mark.parametrize(
    "body",
    [
        {"error_code": "CBC.5002", "error_msg": "x"},
        {"errorCode": "CBC.5002", "errorMsg": "x"},
        {"code": "CBC.5002", "message": "x"},
        {"error": {"code": "CBC.5002", "message": "x"}},
        {"error": {"error_code": "CBC.5002"}},
        {"error_code": "CBC.5002", "errorItems": [{"x": 1}], "more": None},
    ],
)
def test_the_error_code_is_found_in_every_shape_of_an_answer(
    settings: Settings, body: dict[str, Any]
) -> None:
    with RawUpstream(answer(400, json.dumps(body))) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert code(submit(client)) == "CUSTOMER_NOT_FOUND"


@pytest.mark.parametrize(
    ("status", "expected"), [(401, "PARTNER_NOT_ENABLED"), (403, "UPSTREAM_ACCESS_DENIED")]
)
def test_the_numeric_code_of_iam_is_judged_by_the_status(
    settings: Settings, status: int, expected: str
) -> None:
    body = {"error": {"code": status, "message": "The password is wrong.", "title": "x"}}
    with RawUpstream(answer(status, json.dumps(body))) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        problem = submit(client).get_json()
    assert (problem["code"], problem["upstream"]) == (expected, {"status": status})


@pytest.mark.parametrize(
    ("header", "member", "shown"),
    [
        ("a-request-1", "b-request-2", "a-request-1"),
        (None, "b-request-2", "b-request-2"),
        ("has spaces", None, None),
        ("x" * 65, None, None),
        (None, 7, None),
    ],
)
def test_an_upstream_request_id_is_shown_only_if_it_is_well_formed(
    settings: Settings, header: str | None, member: Any, shown: str | None
) -> None:
    body = json.dumps({"error_code": "CBC.5002", "request_id": member})
    headers = (f"X-Request-Id: {header}",) if header else ()
    with RawUpstream(answer(400, body, *headers)) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert submit(client).get_json()["upstream"].get("request_id") == shown
