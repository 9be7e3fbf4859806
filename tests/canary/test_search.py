"""The search finds a marker in every coding and omits only allowed places."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from tests.canary.markers import Markers
from tests.canary.search import Allowance, Sinks, report, seek

MARKERS = Markers()
NAME = MARKERS.mark("name", "QANARY {core} Ångström 张")
COUNTRY = MARKERS.know("country", "𠮷𡃁")

CODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "lower": str.lower,
    "upper": str.upper,
    "cut at its end": lambda text: text[:8],
    "cut at its beginning": lambda text: text[7:],
    "URL": quote,
    "form": quote_plus,
    "JSON": json.dumps,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, one byte on": lambda text: base64.b64encode(b"." + text.encode()).decode(),
    "base64, two bytes on": lambda text: base64.urlsafe_b64encode(b".." + text.encode()).decode(),
    "md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    "sha256": lambda text: hashlib.sha256(text.encode()).hexdigest(),
    "sha256, cut": lambda text: hashlib.sha256(text.encode()).hexdigest()[:16],
    "sha256 as base64": lambda text: base64.b64encode(
        hashlib.sha256(text.encode()).digest()
    ).decode(),
}


@pytest.mark.parametrize("coding", CODINGS)
def test_the_search_finds_a_name_in_every_coding(coding: str) -> None:
    sinks = Sinks()
    sinks.add("log", "a line", f'{{"what": "{CODINGS[coding](NAME)}"}}')
    assert {finding.marker for finding in seek(sinks, MARKERS)} & {"name", "any of them"}


@pytest.mark.parametrize(
    "coding", [one for one in CODINGS if "cut" not in one and one != "JSON in JSON"]
)
def test_the_search_finds_a_two_letter_country_in_every_coding(coding: str) -> None:
    sinks = Sinks()
    sinks.add("spans", "a batch", b"\x0a\xff" + CODINGS[coding](COUNTRY).encode() + b"\x00")
    assert next(finding.marker for finding in seek(sinks, MARKERS)) == "country"


def test_the_search_finds_nothing_where_there_is_no_marker() -> None:
    sinks = Sinks()
    sinks.add("log", "a line", base64.b64encode(bytes(range(256)) * 40))
    sinks.add("log", "another", "Angstrom 张三, can a ry bird sing")
    assert seek(sinks, MARKERS) == []


def test_an_allowance_of_the_search_is_limited_to_its_whole_value_sink_and_source() -> None:
    allowed = [Allowance("name", ("answers",), "its own answer", "GET /mine")]
    sinks = Sinks()
    sinks.add("answers", "GET /mine 200", f"before {NAME} after")
    assert seek(sinks, MARKERS, allowed) == []
    sinks.add("answers", "GET /mine 404", NAME[:12])
    sinks.add("answers", "GET /other 200", NAME)
    sinks.add("log", "GET /mine 200", NAME)
    found = {(finding.sink, finding.source) for finding in seek(sinks, MARKERS, allowed)}
    assert found == {
        ("answers", "GET /mine 404"),
        ("answers", "GET /other 200"),
        ("log", "GET /mine 200"),
    }


def test_the_report_of_the_search_names_sink_marker_and_place_and_is_limited() -> None:
    sinks = Sinks()
    for number in range(100):
        sinks.add("log", f"line {number}", f"a person called {NAME} was there")
    text = report(seek(sinks, MARKERS))
    assert "log: name (plain) in line 0: …" in text
    assert "a person called" in text
    assert len(text.splitlines()) < 6
