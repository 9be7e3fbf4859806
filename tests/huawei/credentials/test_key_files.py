"""Reading the files of a key pair and detecting their changes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.huawei.credentials.key_files import read_keys, stamp
from app.settings import PairSettings
from tests.support.accounts import Mounted, loaded, replace
from tests.support.timing import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2030, 1, 1, tzinfo=UTC).timestamp())


def test_key_files_are_read_without_their_last_newline(files: PairSettings) -> None:
    assert read_keys(files) == ("THEACCESSKEY", "the-secret-key")


@pytest.mark.parametrize("name", ["ak", "sk", "token", "expires"])
@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b" \n\n",
        b"\xff\xfe\x00",
        b"\x00" * 40,
        "schlüssel".encode(),
        b"two\nlines",
        "dir",
    ],
)
def test_a_key_file_without_a_valid_key_is_refused(
    expiring: Mounted, files: PairSettings, clock: Clock, name: str, content: bytes | str | None
) -> None:
    expiring.damage(name, content)
    with pytest.raises((OSError, ValueError)):
        loaded(files, clock)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60))
def test_a_key_file_of_arbitrary_bytes_is_a_printable_key_or_refused(
    expiring: Mounted, files: PairSettings, clock: Clock, content: bytes
) -> None:
    (expiring.folder / "sk").write_bytes(content)
    try:
        pair = loaded(files, clock)
    except ValueError:
        return
    assert content.decode().strip().isprintable()
    assert pair.fingerprint


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2030-01-02T03:04:05Z", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2030-01-02T03:04:05.965000Z", datetime(2030, 1, 2, 3, 4, 5, 965000, tzinfo=UTC)),
        ("2030-01-02T05:04:05+02:00", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2030-01-02T03:04:05", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_an_expiry_without_an_offset_is_utc(
    expiring: Mounted, files: PairSettings, clock: Clock, text: str, moment: datetime
) -> None:
    replace(expiring.folder / "expires", text)
    assert loaded(files, clock).expires_at == moment


@pytest.mark.parametrize("text", ["tomorrow", "1893553445", "2030-13-01T00:00:00Z"])
def test_a_malformed_expiry_is_refused(
    expiring: Mounted, files: PairSettings, clock: Clock, text: str
) -> None:
    replace(expiring.folder / "expires", text)
    with pytest.raises(ValueError):  # noqa: PT011 - whichever the library's text is
        loaded(files, clock)


@pytest.mark.parametrize("name", ["ak", "sk", "token", "expires"])
def test_the_stamp_of_key_files_changes_when_a_file_is_replaced(
    expiring: Mounted, files: PairSettings, name: str
) -> None:
    before = stamp(files)
    assert stamp(files) == before
    replace(expiring.folder / name, (expiring.folder / name).read_bytes())
    assert stamp(files) != before


def test_the_fingerprint_of_a_pair_does_not_depend_on_its_file_names(
    expiring: Mounted, files: PairSettings, clock: Clock
) -> None:
    first = loaded(files, clock).fingerprint
    expiring.write("THEACCESSKEY", "the-secret-key", "the-token", "2031-01-01T00:00:00Z")
    assert loaded(files, clock).fingerprint == first
    for other in [
        ("THEACCESSKEY", "x"),
        ("x", "the-secret-key"),
        ("THEACCESSKEY", "the", "-secret"),
    ]:
        assert (
            loaded(PairSettings.model_validate(expiring.write(*other).settings), clock) is not None
        )
        assert loaded(files, clock).fingerprint != first
