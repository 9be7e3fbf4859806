"""The guides that the gateway serves are the documents of docs/, and their links work."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.api.pages.guides import GUIDES
from app.errors import ErrorCode
from tests.support.gateway import check_problem
from tests.support.sandbox_driver import SandboxDriver
from tools.docs import guides, markdown

DOCUMENTS = {path.stem: path for path in guides.documents()}


@pytest.fixture
def client(shared_client: FlaskClient, sandbox: SandboxDriver) -> FlaskClient:  # noqa: ARG001
    return shared_client


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_page_of_a_document_is_up_to_date(name: str) -> None:
    page = (guides.PAGES / f"{name}.html").read_text()
    assert page == guides.rendered(DOCUMENTS[name]), "run `make docs`"


def test_every_document_is_a_guide_with_a_title() -> None:
    assert GUIDES.keys() == DOCUMENTS.keys()
    assert all(guide.title for guide in GUIDES.values())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_guide_is_a_page_whose_links_have_targets(client: FlaskClient, name: str) -> None:
    page = client.get(guides.address(DOCUMENTS[name]))
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert unescape(page.text).count(f"<title>{GUIDES[name].title} ·") == 1
    assert not re.findall(r"<script|<style|\sstyle=|<img|<!--", page.text)
    for link in set(re.findall(r'href="([^"]+)"', page.text)):
        target, _, anchor = unescape(link).partition("#")
        if target.startswith("https://"):
            continue
        found = page if not target else client.get(target, buffered=True)
        assert found.status_code == 200, link
        assert not anchor or f'id="{anchor}"' in found.text, link


def test_the_docs_page_links_to_the_guides_and_the_quick_start(client: FlaskClient) -> None:
    page = client.get("/docs").text
    assert 'href="/docs/guides"' in page
    assert 'href="/docs/guides/quickstart"' in page


def test_an_unknown_guide_is_not_found(client: FlaskClient) -> None:
    for name in ("nothing", "calling.md", "..", "%2e%2e", "README.html"):
        check_problem(client.get(f"/docs/guides/{name}"), ErrorCode.NOT_FOUND)


def test_a_link_to_what_the_gateway_does_not_serve_is_only_text(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b`\n\n[chart](../helm/README.md) [calls](calling.md#submitting) ![shot](x.png) "
        "[web](https://example.com) [here](#a-b)\n<b>raw</b>\n"
    )
    assert guides.rendered(page) == (
        '<h1 id="a-b">A <code>b</code></h1>\n'
        '<p>chart <a href="/docs/guides/calling#submitting">calls</a> <em>(shot)</em> '
        '<a href="https://example.com">web</a> <a href="#a-b">here</a>\n'
        "&lt;b&gt;raw&lt;/b&gt;</p>\n"
    )
    assert markdown.ordered_anchors(page) == ["a-b"]
