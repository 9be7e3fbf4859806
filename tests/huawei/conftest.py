"""The default account with IAM tokens, on a clock that the test advances."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.huawei.credentials.tokens import Tokens
from app.settings import Settings
from tests.support.accounts import iam_tokens, with_token
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def token_settings(settings: Settings, sandbox: SandboxDriver, tmp_path: Path) -> Settings:
    return with_token(settings, tmp_path, sandbox.url)


@pytest.fixture
def tokens(token_settings: Settings, clock: Clock) -> Tokens:
    return iam_tokens(token_settings, clock)
