"""Gateways whose writer may freeze customers and set budgets."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.customers.freezes.freezing import CALLERS
from tests.support.fixtures import Build


@pytest.fixture
def freezing(build: Build) -> Build:
    """A function that builds a new gateway."""

    def new(**differences: Any) -> Flask:
        return build(callers=CALLERS, **differences)

    return new
