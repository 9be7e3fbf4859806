"""The signatures of webhooks, judged by the verifier of Standard Webhooks."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.events.signing import SecretError, SecretFile
from tests.support.log import Log
from tests.support.receiver import new_secret

BODY = '{"type":"CREDIT_USED"}'


def put(path: Path, *lines: str) -> Path:
    """Replace the file, as Kubernetes does: another inode."""
    new = path.with_suffix(".new")
    new.write_text("".join(f"{line}\n" for line in lines))
    return new.replace(path)


def verified(secrets: SecretFile, secret: str) -> bool:
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "1-2",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": secrets.sign("1-2", now, BODY),
    }
    try:
        return bool(Webhook(secret).verify(BODY, headers) == {"type": "CREDIT_USED"})
    except WebhookVerificationError:
        return False


def test_the_example_of_the_specification_is_signed_the_same(tmp_path: Path) -> None:
    path = put(tmp_path / "secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = SecretFile(path, "shop").sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        '{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_rotated_without_a_restart_and_both_sign_meanwhile(tmp_path: Path) -> None:
    old, new = new_secret(), new_secret(64)
    path = put(tmp_path / "secret", old)
    secrets = SecretFile(path, "shop")
    assert (verified(secrets, old), verified(secrets, new)) == (True, False)
    put(path, old, new)
    assert (verified(secrets, old), verified(secrets, new)) == (True, True)
    put(path, new)
    assert (verified(secrets, old), verified(secrets, new)) == (False, True)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("a-secret-of-my-own",),
        (new_secret(23),),
        (new_secret(65),),
        (new_secret().replace("whsec_", ""),),
        (new_secret() + "!",),
        ("whsec_AAAAA",),
        (new_secret(), new_secret(), new_secret()),
        (new_secret(), "second"),
    ],
)
def test_a_malformed_file_signs_nothing_and_is_not_repeated_in_the_log(
    tmp_path: Path, log: Log, lines: tuple[str, ...]
) -> None:
    path = put(tmp_path / "secret", *lines)
    with pytest.raises(SecretError):
        SecretFile(path, "shop").sign("1-2", datetime.now(UTC), BODY)
    (line,) = log.lines
    assert (line["event"], line["caller"]) == ("The secret of a webhook cannot be used", "shop")
    assert all(word not in log.text for word in lines)


def test_a_missing_file_is_read_as_soon_as_it_is_there(tmp_path: Path, log: Log) -> None:
    secrets = SecretFile(tmp_path / "secret", "shop")
    with pytest.raises(SecretError):
        secrets.sign("1-2", datetime.now(UTC), BODY)
    assert log.lines[0]["reason"] == "No such file or directory"
    secret = new_secret()
    put(tmp_path / "secret", secret)
    assert verified(secrets, secret)


def test_a_file_that_becomes_unusable_leaves_the_last_secret_in_use(
    tmp_path: Path, log: Log
) -> None:
    secret = new_secret()
    path = put(tmp_path / "secret", secret)
    secrets = SecretFile(path, "shop")
    assert verified(secrets, secret)
    log.clear()
    put(path, "half a sec")
    assert verified(secrets, secret)
    assert verified(secrets, secret)
    os.remove(path)
    assert verified(secrets, secret)
    assert [line["reason"] for line in log.lines] == ["malformed", "No such file or directory"]
    assert "the last one stays in use" in log.lines[0]["event"]
