"""Searches all output of a gateway for markers, in every coding."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from tests.canary.markers import Marker

CONTEXT = 80  # bytes shown on either side of a finding
SHOWN = 2  # findings shown of one marker in one sink
LONG_ENOUGH = 8  # bytes whose base64 does not occur by chance
DIGESTS = ("md5", "sha1", "sha256")
DIGEST_PART = 16  # hex digits that identify a digest
BEGINNING = 6  # bytes; by them one pass over a text finds the few needles that it may hold


class Needle(NamedTuple):
    """A lower-case text to search for."""

    marker: str
    coding: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """A marker in a place where it is not allowed."""

    sink: str
    source: str
    marker: str
    coding: str
    context: str

    def __str__(self) -> str:
        return f"{self.sink}: {self.marker} ({self.coding}) in {self.source}: …{self.context}…"


@dataclass(frozen=True, slots=True)
class Allowance:
    """A place where the contract allows a value."""

    marker: str
    sinks: tuple[str, ...]
    reason: str
    source: str = ""  # a regular expression; any source if empty


class Sinks:
    """The output by sink and source, without repetitions."""

    def __init__(self) -> None:
        self.contents: dict[tuple[str, str, bytes], None] = {}

    def add(self, sink: str, source: str, content: bytes | str) -> None:
        raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        self.contents[sink, source, raw] = None

    def size(self, sink: str) -> int:
        return sum(len(content) for name, _, content in tuple(self.contents) if name == sink)


def needles(marker: Marker) -> Iterator[Needle]:
    """A marker in every coding."""
    sought = marker.sought
    raw = sought.encode()
    forms = {
        "plain": {sought, sought.upper()},
        "URL": {quote(sought, safe="")},
        "JSON": {json.dumps(sought)[1:-1]},
        "hex": {raw.hex()},
    }
    if len(raw) >= LONG_ENOUGH:
        forms["base64"] = set(_base64(raw))
        forms["digest"] = set(_digests(marker.value))
    seen = set()
    for coding, texts in forms.items():
        for text in texts:
            small = text.encode().lower()
            if small not in seen:
                seen.add(small)
                yield Needle(marker.name, coding, small)


def _base64(raw: bytes) -> Iterator[str]:
    """The base64 text of a value at each of its three possible alignments."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
        whole = len(raw) + before
        yield text[-(-before * 8 // 6) : whole * 8 // 6]


def _digests(value: str) -> Iterator[str]:
    for name in DIGESTS:
        digest = hashlib.new(name, value.encode(), usedforsecurity=False).digest()
        yield digest.hex()[:DIGEST_PART]
        if name == "sha256":
            yield base64.b64encode(digest).decode()[:DIGEST_PART]


def seek(
    sinks: Sinks, markers: Iterable[Marker], allowances: Iterable[Allowance] = ()
) -> list[Finding]:
    """Every marker in every sink, except the allowed ones."""
    known = tuple(markers)
    by_name = {marker.name: marker for marker in known}
    allowed = tuple(allowances)
    sought: dict[bytes, list[Needle]] = {}
    for needle in (needle for marker in known for needle in needles(marker)):
        assert len(needle.text) >= BEGINNING, needle
        sought.setdefault(needle.text[:BEGINNING], []).append(needle)
    merged: dict[tuple[str, str], bytearray] = {}
    for sink, source, content in sinks.contents:
        small = content.lower()
        for one in allowed:
            if sink in one.sinks and re.match(one.source, source):
                small = small.replace(by_name[one.marker].value.encode().lower(), b"\0")
        merged.setdefault((sink, source), bytearray()).extend(b"\n" + small)
    return [
        finding
        for (sink, source), text in merged.items()
        for finding in _in_one(sink, source, bytes(text), sought)
    ]


def _in_one(
    sink: str, source: str, text: bytes, sought: Mapping[bytes, Iterable[Needle]]
) -> Iterator[Finding]:
    pieces = (text[place : place + BEGINNING] for place in range(len(text)))
    begun = {piece for piece in pieces if piece in sought}
    for marker, coding, needle in (one for beginning in sorted(begun) for one in sought[beginning]):
        place = text.find(needle)
        if place >= 0:
            around = text[max(0, place - CONTEXT) : place + len(needle) + CONTEXT]
            context = around.decode("utf-8", "replace").replace("\n", "⏎")
            yield Finding(sink, source, marker, coding, context)


def report(findings: Iterable[Finding]) -> str:
    """A readable report: a few findings of each marker and sink."""
    reported: Counter[tuple[str, str]] = Counter()
    lines = []
    for finding in findings:
        reported[finding.sink, finding.marker] += 1
        if reported[finding.sink, finding.marker] <= SHOWN:
            lines.append(str(finding))
    hidden = sum(reported.values()) - len(lines)
    return "\n".join([*lines, f"and {hidden} more like these"] if hidden else lines)
