"""The circuit to an account's bucket: apart from the one to Partner Center."""

from __future__ import annotations

from pathlib import Path

from app import create_app
from demo.local import free_port
from tests.gateway import altered, code
from tests.sandbox_driver import SandboxDriver
from tests.verification.gateways import configured, upload, with_bucket

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))


def test_a_bucket_that_cannot_be_reached_pauses_uploads_and_nothing_else(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    settings = with_bucket(
        configured(tmp_path, sandbox.url), tmp_path, endpoint=f"http://127.0.0.1:{free_port()}"
    )
    changed = altered(settings, reliability={"breaker_failures": 3, "breaker_pause": 60})
    client = create_app(changed).test_client()
    answers = [upload(client, "a.jpg", JPEG) for _ in range(5)]
    assert [code(one) for one in answers] == ["UPSTREAM_UNREACHABLE"] * 3 + ["CIRCUIT_OPEN"] * 2
    assert answers[-1].headers["Retry-After"] == "60"
    gateway = client.application.extensions["partner_gateway"]
    assert gateway.partner_centers["default"].check().failure is None
