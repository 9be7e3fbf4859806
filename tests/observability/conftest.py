"""What the gateway logs, caught."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.observability.log import Log


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    level, log = root.level, Log()
    root.addHandler(log.handler)
    root.setLevel(logging.DEBUG)
    yield log
    root.removeHandler(log.handler)
    root.setLevel(level)
