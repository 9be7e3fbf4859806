"""One sandbox for the whole folder, reset for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from sandbox.server import SandboxServer
from tests.sandbox.iam import Iam
from tests.support.bucket import Bucket
from tests.support.partner import Partner
from tests.support.sandbox_driver import SandboxDriver


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The sandbox; most tests name attachments without an upload."""
    with SandboxServer(settings={"missing_attachment_code": None}) as server:
        yield server.url


@pytest.fixture
def driver(url: str) -> SandboxDriver:
    driver = SandboxDriver(url)
    driver.reset()
    return driver


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def partner(driver: SandboxDriver, session: requests.Session) -> Partner:
    """A partner's program that signs with the official SDK."""
    return Partner(driver.url, session)


@pytest.fixture
def bucket(driver: SandboxDriver, session: requests.Session) -> Bucket:
    """A client of a bucket that signs with botocore."""
    return Bucket(driver.url, session)


@pytest.fixture
def iam(driver: SandboxDriver, session: requests.Session) -> Iam:
    return Iam(driver.url, session)
