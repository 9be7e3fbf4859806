"""The sealing of values in a shared state, and its key."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import ConfigurationError, StateSettings
from app.state import MemoryState, Sealing, SharedState, open_state
from tests.support.valkey import PASSWORD, Valkey

KEY = b"0123456789abcdefghijklmnopqrstuv"
OTHER_KEY = b"vutsrqponmlkjihgfedcba9876543210"
REDIS = f"redis://gateway:{PASSWORD}@127.0.0.1:1/0"


@given(st.binary())
def test_a_sealed_value_is_unsealed_with_the_same_key_only(value: bytes) -> None:
    sealed = Sealing(KEY).seal("n", value)
    assert Sealing(KEY).unseal("n", sealed) == value
    assert Sealing(OTHER_KEY).unseal("n", sealed) is None


@given(st.binary())
def test_unsealing_a_value_that_was_never_sealed_returns_none(value: bytes) -> None:
    assert Sealing(KEY).unseal("n", value) is None


def test_unsealing_a_changed_or_truncated_value_returns_none() -> None:
    sealed = Sealing(KEY).seal("n", b"a value")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert Sealing(KEY).unseal("n", bytes(changed)) is None
        assert Sealing(KEY).unseal("n", sealed[:place]) is None


def test_a_sealed_value_is_unreadable_and_equal_values_seal_differently() -> None:
    sealing = Sealing(KEY)
    sealed = {sealing.seal("n", b"a value of some length") for _ in range(5)}
    assert len(sealed) == 5
    assert not any(b"value" in one for one in sealed)


@given(parts=st.lists(st.text(min_size=3, alphabet="ghijkGHIJK"), min_size=1))
def test_a_fingerprint_is_stable_and_reveals_nothing(parts: list[str]) -> None:
    fingerprint = Sealing(KEY).fingerprint(*parts)
    assert fingerprint == Sealing(KEY).fingerprint(*parts)
    assert len(fingerprint) == 32
    assert not any(part in fingerprint for part in parts)


def test_fingerprints_differ_by_key_and_by_part_of_the_value() -> None:
    sealing = Sealing(KEY)
    names = [("a", "b"), ("ab",), ("a", "b", ""), ("b", "a"), ("", "a", "b"), ("a",)]
    found = {sealing.fingerprint(*parts) for parts in names}
    found |= {Sealing(OTHER_KEY).fingerprint(*parts) for parts in names}
    assert len(found) == 2 * len(names)


@pytest.mark.parametrize("length", [0, 1, 31])
def test_a_short_sealing_key_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        Sealing(b"k" * length)


def test_a_generated_sealing_key_differs_each_time() -> None:
    assert Sealing.random().unseal("n", Sealing.random().seal("n", b"a value")) is None


def test_the_repr_of_a_sealing_holds_nothing_of_its_key() -> None:
    sealing = Sealing(KEY)
    assert KEY.decode() not in repr(sealing) + str(sealing) + f"{sealing}"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "state-key"
    path.write_bytes(KEY)
    return path


def test_without_a_key_file_everything_stays_in_memory() -> None:
    state, sealing = open_state(StateSettings())
    _, other = open_state(StateSettings())
    assert isinstance(state, MemoryState)
    assert other.unseal("n", sealing.seal("n", b"a value")) is None


def test_the_memory_state_accepts_a_sealing_key(key_file: Path) -> None:
    state, sealing = open_state(StateSettings(key_file=key_file))
    assert isinstance(state, MemoryState)
    assert Sealing(KEY).unseal("n", sealing.seal("n", b"a value")) == b"a value"


def test_a_configured_url_opens_the_shared_state(valkey: Valkey, key_file: Path) -> None:
    state, sealing = open_state(StateSettings(url=valkey.url, key_file=key_file))
    assert isinstance(state, SharedState)
    state.put("a", b"1", 60)
    assert (state.get("a"), len(valkey.values())) == (b"1", 1)
    assert Sealing(KEY).unseal("n", sealing.seal("n", b"a value")) == b"a value"


@pytest.mark.parametrize("content", [b"", b"short", KEY[:31]])
def test_a_sealing_key_file_that_is_too_short_is_refused(key_file: Path, content: bytes) -> None:
    key_file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^state\.key_file: .*at least 32") as refused:
        open_state(StateSettings(url=REDIS, key_file=key_file))
    assert not content or content.decode() not in str(refused.value)


def test_a_missing_sealing_key_file_is_named(tmp_path: Path) -> None:
    settings = StateSettings(url=REDIS, key_file=tmp_path / "nothing")
    with pytest.raises(ConfigurationError, match=r"^state\.key_file: No such file") as refused:
        open_state(settings)
    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize("byte", [b"\t", b"\n", b"\v", b"\f", b"\r", b" "])
def test_a_sealing_key_may_begin_and_end_with_any_byte(key_file: Path, byte: bytes) -> None:
    for content in (byte + KEY[1:], KEY[1:] + byte):
        key_file.write_bytes(content)
        open_state(StateSettings(key_file=key_file))
