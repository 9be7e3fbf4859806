"""Reads the JSON object of an answer, even if its texts are damaged.

An error text can come in another encoding than UTF-8, cut in the middle of a letter, or with a
raw line break. The code beside it is ASCII and must not be lost with it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def json_object(content: bytes | None) -> Mapping[str, Any] | None:
    """The JSON object that the content is; None if it is anything else."""
    for text in _texts(content or b""):
        try:
            body = json.loads(text, strict=False, object_pairs_hook=_object, parse_constant=_refuse)
        except (ValueError, RecursionError):
            continue
        return body if isinstance(body, dict) else None
    return None


def _texts(content: bytes) -> Iterator[str]:
    """The content as text, the likeliest reading first."""
    try:
        yield content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # In GBK the second byte of a letter can be a backslash, so GBK comes before the
        # encodings that decode each byte by itself.
        for encoding in ("gb18030", "utf-8", "latin-1"):
            yield content.removeprefix(b"\xef\xbb\xbf").decode(encoding, "replace")


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are unique: two values for one name contradict each other."""
    read: dict[str, Any] = {}
    for name, value in pairs:
        if name in read and read[name] != value:
            raise ValueError("a name with two values")
        read[name] = value
    return read


def _refuse(_: str) -> Any:
    raise ValueError("not JSON")
