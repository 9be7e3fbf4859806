"""Mounted key pairs of the tests of credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import PairSettings
from tests.support.accounts import Mounted


@pytest.fixture
def expiring(tmp_path: Path) -> Mounted:
    """The files of a temporary pair that expires on 2 January 2030."""
    pair = Mounted(tmp_path / "pair", temporary=True)
    return pair.write("THEACCESSKEY", "the-secret-key", "the-token", "2030-01-02T03:04:05Z")


@pytest.fixture
def files(expiring: Mounted) -> PairSettings:
    return PairSettings.model_validate(expiring.settings)
