"""A token that becomes invalid while its call waits for another slot of the quota."""

from __future__ import annotations

import threading

from app.huawei.credentials.tokens import Tokens
from app.huawei.iam import Token
from app.huawei.pacing.quota import LATE
from app.settings import Settings
from app.state import MemoryState
from tests.support.accounts import SEALING, iam, partner_center, read, token_on_requests
from tests.support.sandbox_driver import SandboxDriver


class RenewedMeanwhile(Tokens):
    """Tokens of which another request drops and renews one, while a late call waits again."""

    looks = 0

    def is_valid(self, use: Token) -> bool:
        self.looks += 1
        if self.looks == 1:
            threading.Event().wait(3 * LATE)  # so that the call misses its slot
        if self.looks == 2:
            self.drop(use)
        valid = super().is_valid(use)
        self.token()
        return valid


def test_a_call_whose_token_is_renewed_while_it_waits_for_another_slot_is_sent_with_the_new_one(
    token_settings: Settings, sandbox: SandboxDriver
) -> None:
    tokens = RenewedMeanwhile("default", iam(token_settings), MemoryState(), SEALING)
    old = tokens.token()
    assert read(partner_center(token_settings, tokens)) is None
    assert tokens.looks > 2
    (sent,) = token_on_requests(sandbox, "result")
    assert sent != old.text
