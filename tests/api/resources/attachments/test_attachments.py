"""Uploads of attachments: what is stored, and what is refused before storing."""

from __future__ import annotations

import io
import logging
from hashlib import sha256
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.gateway import CUSTOMER, bearer, code, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import submit as submit_form
from tests.support.verifications import upload

FOLDER = f"/v1/customers/{CUSTOMER}/attachments"
MAX_BYTES = 10 * 1024 * 1024
BODY = bytes(range(256)) * 8
CONTENTS = {
    "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + BODY,
    "jpeg": b"\xff\xd8\xff\xe1\x00\x10Exif\x00" + BODY,
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + BODY,
    "gif": b"GIF89a" + BODY,
    "bmp": b"BM\x36\x08\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00" + BODY,
    "pdf": b"%PDF-1.7\n" + BODY,
}
MEDIA = {ending: f"image/{ending}" for ending in ("jpeg", "png", "gif", "bmp")}
MEDIA = {"jpg": "image/jpeg", **MEDIA, "pdf": "application/pdf"}
JPEG = CONTENTS["jpg"]


@pytest.mark.parametrize("ending", [*CONTENTS, "JPG", "Pdf"])
@pytest.mark.parametrize("content_type", [None, "text/html", "application/octet-stream"])
def test_each_format_is_stored_byte_for_byte_with_its_own_type(
    client: FlaskClient, sandbox: SandboxDriver, ending: str, content_type: str | None
) -> None:
    content = CONTENTS[ending.lower()]
    how = {"content_type": content_type} if content_type else {}
    response = upload(client, f"page.{ending}", content, **how)
    assert response.status_code == 201
    assert response.get_json() == {"attachment": f"{CUSTOMER}/page.{ending}"}
    assert response.headers["Location"] == f"{FOLDER}/page.{ending}"
    assert sandbox.objects() == [
        {
            "bucket": "kyc",
            "key": f"download/{CUSTOMER}/page.{ending}",
            "size": len(content),
            "sha256": sha256(content).hexdigest(),
            "content_type": MEDIA[ending.lower()],
        }
    ]


def test_the_attachment_that_an_upload_returns_can_be_submitted(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(missing_attachment_code="CBC.0100")
    names = [upload(client, f"{n}.jpg", JPEG).get_json()["attachment"] for n in (1, 2)]
    passport = {"type": "PASSPORT", "number": "E1234567"}
    body = {"full_name": "ZHANG SAN", "document": passport, "attachments": names}
    assert submit_form(client, body=body).status_code == 202
    assert code(submit_form(client, body={**body, "attachments": ["1.jpg", "2.jpg"]})) == (
        "UPSTREAM_REJECTED_FIELDS"
    )


def test_an_upload_replaces_the_file_of_that_name_of_the_same_customer_only(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    for content in (JPEG, CONTENTS["jpeg"]):
        assert upload(client, "a.jpg", content).status_code == 201
    other = client.put("/v1/customers/other/attachments/a.jpg", data=JPEG, headers=bearer())
    assert other.get_json() == {"attachment": "other/a.jpg"}
    stored = {one["key"]: one["sha256"] for one in sandbox.objects()}
    assert stored == {
        f"download/{CUSTOMER}/a.jpg": sha256(CONTENTS["jpeg"]).hexdigest(),
        "download/other/a.jpg": sha256(JPEG).hexdigest(),
    }


def refused(sandbox: SandboxDriver, response: Any, status: int, ours: str) -> None:
    assert (response.status_code, code(response)) == (status, ours)
    assert response.mimetype == "application/problem+json"
    assert sandbox.requests() == []
    assert sandbox.objects() == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((f"a.{wrong}", CONTENTS[true]) for wrong, true in zip(MEDIA, [*MEDIA][2:], strict=False)),
        ("a.png", b"<!DOCTYPE html><html><script>alert(1)</script></html>"),
        ("a.bmp", b"BMW is a maker of cars, and this text begins with the letters BM."),
        ("a.bmp", b"BM"),
        ("a.jpg", b"\xff\xd8"),
        ("a.jpg", b"x"),
        ("a.pdf", b"\n" + CONTENTS["pdf"]),
        ("a.gif", b"PK\x03\x04" + BODY),
    ],
)
def test_content_that_contradicts_the_extension_of_the_name_is_refused(
    client: FlaskClient, sandbox: SandboxDriver, name: str, content: bytes
) -> None:
    refused(sandbox, upload(client, name, content), 422, "ATTACHMENT_FORMAT")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([*MEDIA]), st.binary(min_size=1, max_size=80))
def test_random_bytes_are_not_stored(
    client: FlaskClient, sandbox: SandboxDriver, ending: str, content: bytes
) -> None:
    refused(sandbox, upload(client, f"a.{ending}", b"\x00" + content), 422, "ATTACHMENT_FORMAT")


@pytest.mark.parametrize(
    "name", ["a", "a.", "a.exe", "a.jpg.exe", "jpgx", "a.svg", "a.tiff", "a-jpg", "a.jpg-"]
)
def test_a_file_name_without_a_known_extension_is_refused(
    client: FlaskClient, sandbox: SandboxDriver, name: str
) -> None:
    refused(sandbox, upload(client, name, JPEG), 422, "ATTACHMENT_FORMAT")


@pytest.mark.parametrize("name", ["jpg", "PNG"])
def test_a_file_name_that_is_only_an_extension_is_refused(
    client: FlaskClient, sandbox: SandboxDriver, name: str
) -> None:
    # A submission would refuse the returned path: it has no extension.
    refused(sandbox, upload(client, name, CONTENTS[name.lower()]), 422, "ATTACHMENT_FORMAT")


@pytest.mark.parametrize(
    "path",
    [
        *(".a.jpg", ".", "..", "..jpg", "", "%2e%2e", "%2Ea.jpg", "x" * 125 + ".jpg"),
        *("a%2Fb.jpg", "a/b.jpg", "../a.jpg", "%2e%2e%2fa.jpg", "a%5Cb.jpg", "a%00.jpg"),
        *("a b.jpg", "a%0A.jpg", "a.jpg%0A", "ä.jpg", "a;b.jpg", "a~.jpg", "a.jpg/"),
    ],
)
def test_a_malformed_file_name_is_a_404(
    client: FlaskClient, sandbox: SandboxDriver, path: str
) -> None:
    response = client.put(f"{FOLDER}/{path}", data=JPEG, headers=bearer())
    refused(sandbox, response, 404, "NOT_FOUND")


@pytest.mark.parametrize("name", ["-.jpg", "_a.jpg", "a..b.jpg", "x" * 124 + ".jpg", "0.JPEG"])
def test_a_file_name_may_have_128_characters_and_inner_dots(client: FlaskClient, name: str) -> None:
    assert upload(client, name, JPEG).get_json() == {"attachment": f"{CUSTOMER}/{name}"}


def test_an_upload_of_ten_megabytes_is_accepted_and_one_byte_more_is_refused(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    whole = JPEG + bytes(MAX_BYTES - len(JPEG))
    refused(sandbox, upload(client, "b.jpg", whole + b"\x00"), 413, "PAYLOAD_TOO_LARGE")
    assert upload(client, "a.jpg", whole).status_code == 201
    assert sandbox.objects()[0]["sha256"] == sha256(whole).hexdigest()


def test_an_empty_upload_is_refused(client: FlaskClient, sandbox: SandboxDriver) -> None:
    refused(sandbox, upload(client, "a.jpg", b""), 400, "BAD_REQUEST")


@pytest.mark.parametrize("terminated", [False, True], ids=["counted", "as gunicorn says"])
@pytest.mark.parametrize("sent", [3, 20, 100])
def test_an_upload_that_ends_early_is_not_stored(
    client: FlaskClient, sandbox: SandboxDriver, sent: int, terminated: bool
) -> None:
    length = {"CONTENT_LENGTH": str(len(JPEG))}
    response = client.put(
        f"{FOLDER}/a.jpg",
        input_stream=io.BytesIO(JPEG[:sent]),
        headers=bearer(),
        environ_overrides={**length, **({"wsgi.input_terminated": True} if terminated else {})},
    )
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert sandbox.objects() == []
    assert upload(client, "a.jpg", JPEG).status_code == 201


@pytest.mark.parametrize("key", ["reader-key", "nobody-key", "operator-key"])
def test_an_upload_needs_the_scope_attachments_write(
    client: FlaskClient, sandbox: SandboxDriver, key: str
) -> None:
    refused(sandbox, upload(client, "a.jpg", JPEG, key=key), 403, "FORBIDDEN")
    refused(sandbox, client.put(f"{FOLDER}/a.jpg", data=JPEG), 401, "UNAUTHENTICATED")


def test_an_upload_to_an_account_without_a_bucket_is_refused(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    headers = {**bearer(), "Partner-Account": "second"}
    response = client.put(f"{FOLDER}/a.jpg", data=JPEG, headers=headers)
    refused(sandbox, response, 503, "PARTNER_NOT_ENABLED")
    assert (
        submit(client).status_code == 422
    )  # backend review: the limit of JSON bodies still applies
    huge = {"full_name": "x" * 70_000}
    assert code(submit_form(client, body=huge)) == "PAYLOAD_TOO_LARGE"


def test_neither_content_nor_name_of_an_upload_reaches_a_log(
    client: FlaskClient, sandbox: SandboxDriver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = b"MUSTERMANN<<ERIKA<<<<<<<"
    content = b"\xff\xd8\xff" + secret * 100
    upload(client, "a.jpg", content)
    upload(client, "a.png", content)
    upload(client, "a.txt", content)
    for fault in ("reset", "html", "hang"):
        sandbox.fault("obs", fault, count=1, **({"seconds": 0} if fault == "hang" else {}))
        upload(client, "a.jpg", content)
    sandbox.clock(5000)
    upload(client, "a.jpg", content)
    everything = "\n".join(repr(vars(one)) + one.getMessage() for one in caplog.records)
    assert "upload_attachment" in everything
    assert "MUSTERMANN" not in everything
    assert "obs-secret" not in everything
