"""Fixtures: both Helm versions, and the version that most tests render with."""

from __future__ import annotations

import pytest

from tests.chart.helm import Helm
from tests.support.programs import needed


@pytest.fixture(scope="session", params=["helm3", "helm4"])
def each_helm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(needed(f".tools/{request.param}/helm"), tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def helm3(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm 3, which asks a cluster for no more than the templates look up."""
    return Helm(needed(".tools/helm3/helm"), tmp_path_factory.mktemp("helm3"))


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm 4; another test asserts that Helm 3 renders the same."""
    return Helm(needed(".tools/helm4/helm"), tmp_path_factory.mktemp("helm"))
