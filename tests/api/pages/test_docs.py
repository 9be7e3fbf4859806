"""The HTML pages: content negotiation, content, and the policy for browsers."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
import yaml
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.api.pages import PAGE_POLICY, SWAGGER_UI_POLICY
from app.api.resources.errors import ACTORS, MEANINGS
from app.errors import ErrorCode, Fault, Retry
from demo.local import PROJECT
from tests.support.gateway import bearer, check_problem, submit
from tests.support.sandbox_driver import SandboxDriver

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
PAGES = ["/docs", "/v1/errors", "/v1/errors/NOT_FOUND"]


@pytest.fixture
def client(shared_client: FlaskClient, sandbox: SandboxDriver) -> FlaskClient:  # noqa: ARG001
    return shared_client


def browse(client: FlaskClient, path: str) -> TestResponse:
    """The answer to a browser."""
    return client.get(path, headers={"Accept": CHROMIUM})


def text(response: TestResponse) -> str:
    """The visible text of a page."""
    return " ".join(unescape(re.sub("<[^>]*>", "", response.text)).split())


def policy(response: TestResponse) -> dict[str, str]:
    """The content security policy, by directive."""
    directives = response.headers["Content-Security-Policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


def test_the_root_path_redirects_to_the_docs(client: FlaskClient) -> None:
    response = browse(client, "/")
    assert (response.status_code, response.location) == (303, "/docs")
    check_problem(client.post("/"), ErrorCode.METHOD_NOT_ALLOWED)


@pytest.mark.parametrize("path", PAGES)
def test_every_resource_of_a_page_is_served_by_the_gateway(client: FlaskClient, path: str) -> None:
    page = browse(client, path)
    assert page.mimetype == "text/html"
    loaded = re.findall(r'(?:src|href|data-url)="([^"]*)"', page.text)
    assert "/docs/assets/pages.css" in loaded
    for address in set(loaded):
        assert address.startswith("/")
        assert client.get(address, buffered=True).status_code == 200, address


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_an_inline_script_or_style(client: FlaskClient, path: str) -> None:
    page = browse(client, path).text
    assert not re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:", page)


@pytest.mark.parametrize("path", PAGES)
def test_the_content_security_policy_of_a_page_allows_only_what_it_loads(
    client: FlaskClient, path: str
) -> None:
    response = browse(client, path)
    expected = SWAGGER_UI_POLICY if path == "/docs" else PAGE_POLICY
    assert response.headers["Content-Security-Policy"] == expected
    allowed = policy(response)
    for directive in ("default-src", "base-uri", "form-action", "frame-ancestors"):
        assert allowed[directive] == "'none'"
    sources = {source for listed in allowed.values() for source in listed.split()}
    assert sources <= {"'none'", "'self'", "data:"}
    assert "data:" not in allowed.get("script-src", "")
    assert ("script-src" in allowed) == (path == "/docs")
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_no_json_answer_can_be_rendered_as_a_page(client: FlaskClient) -> None:
    answers = [
        submit(client),
        client.get("/v1/capabilities", headers=bearer()),
        client.get("/v1/capabilities"),
        client.get("/v1/errors"),
        client.get("/nothing"),
        client.get("/openapi.json"),
        client.get("/docs/assets/docs.js", buffered=True),
        client.get("/livez"),
        client.get("/"),
        client.post("/v1/errors"),
    ]
    assert len({answer.status_code for answer in answers}) == 6
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert set(policy(answer).values()) == {"'none'"}


@pytest.mark.parametrize("name", ["oauth2-redirect.html", "index.css", "..", "%2e%2e%2fdocs.html"])
def test_only_assets_of_the_pages_are_served(client: FlaskClient, name: str) -> None:
    check_problem(client.get(f"/docs/assets/{name}"), ErrorCode.NOT_FOUND)


@pytest.mark.parametrize("path", ["/v1/errors", "/v1/errors/CIRCUIT_OPEN"])
@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/problem+json", False),
        ("application/json, text/plain, */*", False),
        ("text/html, application/json", False),
        ("text/html;q=0.5, application/json;q=0.9", False),
        ("text/html;q=0", False),
        ("image/png", False),
        ("nonsense", False),
        (CHROMIUM, True),
        ("text/html", True),
        ("text/*", True),
        ("text/html, application/json;q=0.9", True),
    ],
)
def test_an_error_is_json_for_programs_and_a_page_for_browsers(
    client: FlaskClient, path: str, accept: str | None, page: bool
) -> None:
    response = client.get(path, headers={} if accept is None else {"Accept": accept})
    assert response.status_code == 200
    assert response.mimetype == ("text/html" if page else "application/json")
    assert response.headers["Vary"] == "Accept"


@pytest.mark.parametrize("code", list(ErrorCode), ids=lambda code: code.name)
def test_the_page_of_an_error_code_shows_its_catalogue_entry(
    client: FlaskClient, code: ErrorCode
) -> None:
    entry = client.get(f"/v1/errors/{code.name}").get_json()
    page = browse(client, entry["sample"]["type"])
    read = text(page)
    assert f"<h1>{code.title}</h1>".replace("'", "&#39;") in page.text
    assert code.explanation.replace("`", "") in read
    assert f"HTTP {code.status}" in read
    repeats = {"A read": code.retry, "A write": code.write_retry}
    for request, retry in repeats.items():
        which = "Any request" if len(set(repeats.values())) == 1 else request
        assert re.search(rf"{which} [A-Z][^.]*\. {retry}", read)
    shown = re.search("<pre[^>]*><code>(.*)</code></pre>", page.text, re.DOTALL)
    assert shown
    assert json.loads(unescape(shown[1])) == entry["sample"]


def test_the_page_of_all_error_codes_links_to_each_grouped_by_who_must_act(
    client: FlaskClient,
) -> None:
    sections = browse(client, "/v1/errors").text.split("<section")[1:]
    linked = [re.findall(r'href="/v1/errors/(\w+)"', section) for section in sections]
    faults = ["CALLER", "GATEWAY", "UPSTREAM"]
    assert linked == [[code.name for code in ErrorCode if code.fault == fault] for fault in faults]


def test_each_retry_value_has_its_own_explanation() -> None:
    assert set(MEANINGS) == set(Retry)
    assert len(set(MEANINGS.values())) == len(Retry)
    assert set(ACTORS) == set(Fault)


def test_an_unknown_error_code_is_a_problem_for_programs(client: FlaskClient) -> None:
    check_problem(client.get("/v1/errors/NOTHING"), ErrorCode.NOT_FOUND)


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1/errors/NOTHING", "/v1/errors/%3Cscript%3E", "/v1"]
)
def test_an_unknown_page_is_a_page_for_a_browser(client: FlaskClient, path: str) -> None:
    response = browse(client, path)
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert response.headers["Content-Security-Policy"] == PAGE_POLICY
    assert "X-Request-Id" in response.headers
    assert 'href="/docs"' in response.text
    assert "script" not in response.text
    problem = client.get(path)
    check_problem(problem, ErrorCode.NOT_FOUND)
    assert (response.headers["Vary"], problem.headers["Vary"]) == ("Accept", "Accept")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("openapi.json", "application/json"), ("openapi.yaml", "application/yaml")],
)
def test_the_contract_may_be_cached(client: FlaskClient, name: str, media_type: str) -> None:
    first = client.get(f"/{name}")
    assert (first.status_code, first.mimetype) == (200, media_type)
    assert yaml.safe_load(first.text) == yaml.safe_load(
        (PROJECT / "openapi/openapi.yaml").read_text()
    )
    assert first.headers["Cache-Control"] == "public, max-age=300"
    again = client.get(f"/{name}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert client.get(f"/{name}", headers={"If-None-Match": '"other"'}).status_code == 200
