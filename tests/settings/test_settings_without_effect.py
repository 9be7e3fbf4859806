"""Settings that would have no effect beside another setting: each is refused by its path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.settings.refused import WITHOUT_EFFECT
from tests.support.config_file import complaints, put


@pytest.mark.parametrize(("changes", "named"), WITHOUT_EFFECT)
def test_a_setting_that_would_have_no_effect_is_refused_by_its_path(
    tmp_path: Path, config: dict[str, Any], changes: dict[str, Any], named: list[str]
) -> None:
    for path, value in changes.items():
        put(config, path, value)
    assert [line.partition(": ")[0] for line in complaints(tmp_path, config)] == named
