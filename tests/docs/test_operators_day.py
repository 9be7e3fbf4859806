"""The commands of the operator's day: Helm renders, and a local gateway stands in for the pod."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import requests
import yaml

from demo.local import KEY, PROJECT, Local
from tests.support import shell
from tests.support.programs import needed
from tests.support.sandbox_driver import SandboxDriver
from tools.docs import markdown

PAGE = "docs/operators-day.md"
# `kubectl exec` runs the command here, `logs` prints the gateway's log, and a forwarded port is
# the gateway's own. Helm renders what it would install.
CLUSTER = """
kubectl() {
  case " $* " in
    *" exec "*) while [ "$1" != -- ]; do shift; done; shift; "$@" ;;
    *" logs "*) cat "$LOG" ;;
    *" port-forward "*) sleep 60 ;;
    *" --dry-run=client "*) cat access_key secret_key ;;
    *" apply "*) cat ;;
  esac
}
sleep() { [ "$1" = 2 ] || command sleep "$@"; }
helm() {
  case "$1" in
    install | upgrade) shift; "$HELM" template $(printf '%s\n' "$@" | grep -v -e --wait) ;;
    test | rollback) ;;
  esac
}
set -m
"""


def block(heading: str) -> list[str]:
    """The blocks of commands below a heading of the page."""
    text = (PROJECT / PAGE).read_text()
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [part.partition("```")[0] for part in section.split("```sh\n")[1:]]


@pytest.fixture
def cluster(served: Local, tmp_path: Path) -> dict[str, str]:
    """The environment of the commands, and their files in the folder of the test."""
    for name in ("helm", "app"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    (tmp_path / "gateway.yaml").write_text(markdown.block(PAGE, "yaml"))
    for name in ("access_key", "secret_key"):
        (tmp_path / name).write_text(name)
    assert served.log is not None
    return {
        "HELM": needed(".tools/helm4/helm"),
        "KEY": KEY,
        "LOG": f"/proc/{os.getpid()}/fd/{served.log.fileno()}",
        "GATEWAY_CONFIG": str(served.folder / "config.yaml"),
    }


def run(
    served: Local, folder: Path, cluster: dict[str, str], commands: str, status: int = 0
) -> str:
    """The output of the commands, on the ports of the local gateway."""
    text = shell.at(served, commands).replace("http://127.0.0.1:9090/metrics", served.metrics_url)
    return shell.run(CLUSTER + text, folder, cluster, status)


def test_the_installation_and_the_upgrade_render_the_gateway(
    served: Local, tmp_path: Path, cluster: dict[str, str]
) -> None:
    for commands in (*block("Install"), *block("Upgrade")):
        said = run(served, tmp_path, cluster, commands)
        names = [one["metadata"]["name"] for one in yaml.safe_load_all(said) if one]
        assert "gateway-partner-gateway" in names


def test_a_bad_value_is_refused_and_its_key_is_named(
    served: Local, tmp_path: Path, cluster: dict[str, str]
) -> None:
    refused, job = block("Refuse a bad value")
    assert "requests_per_second" in run(served, tmp_path, cluster, refused, status=1)
    assert "job/gateway-partner-gateway-check" in job


def test_a_key_is_rotated_and_the_accounts_are_shown(
    served: Local, tmp_path: Path, cluster: dict[str, str]
) -> None:
    replaced, shown = block("Rotate the partner's key")
    assert run(served, tmp_path, cluster, replaced) == "access_keysecret_key"
    assert '"key_pairs"' in run(served, tmp_path, cluster, shown)


def test_an_alert_is_looked_at_with_the_credentials_and_the_metrics(
    served: Local, tmp_path: Path, cluster: dict[str, str]
) -> None:
    (commands,) = block("Look at an alert")
    said = run(served, tmp_path, cluster, commands)
    assert "ok   default: reached, signed, accepted as a partner" in said
    assert "gateway_state_degraded 0.0" in said


def test_a_bill_is_compared_with_its_lines(
    served: Local, tmp_path: Path, cluster: dict[str, str]
) -> None:
    sandbox = SandboxDriver(served.sandbox_url)
    made = sandbox.bill_file("2026-10", lines=20)
    sandbox.bill("2026-10", consumed=made["amount"])
    (commands,) = block("Compare a bill with its lines")
    said = run(served, tmp_path, cluster, commands)
    assert said.startswith(f"equal   USD: 20 lines, Amount {made['amount']}; bill, consumed")


def test_a_request_is_found_by_its_id(
    served: Local, tmp_path: Path, cluster: dict[str, str]
) -> None:
    asked = requests.get(
        f"{served.url}/v1/customers/cust-day/verification",
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=10,
    )
    cluster["REQUEST_ID"] = asked.headers["X-Request-Id"]
    (commands,) = block("Find a request by its id")
    assert '"operation":"get_verification"' in run(served, tmp_path, cluster, commands)
