"""The quick starts: their documented commands and their programs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from demo.local import Local
from tests.clients.languages import CLIENTS
from tests.support import shell
from tests.support.programs import needed
from tests.support.sandbox_driver import SandboxDriver
from tools.docs import markdown
from tools.docs.written import DOCS, QUICKSTART

pytestmark = pytest.mark.long

PICTURES = "data-page.jpg holding.jpg"
REASON = "The certificate picture is blurred."


class QuickStart(NamedTuple):
    """One of the quick starts.

    Args:
        program: The name of the program's file.
        run: The command without its arguments.
        tools: The programs that the command needs.
    """

    program: str
    run: str
    tools: tuple[str, ...]


QUICKSTARTS = {
    "python": QuickStart(
        "quickstart.py", "PYTHONPATH=client python quickstart.py", ("openapi-python-client",)
    ),
    "typescript": QuickStart(
        "quickstart.ts", "node quickstart.js", CLIENTS["openapi-typescript"].tools
    ),
    "go": QuickStart("quickstart.go", "go run .", ("openapi-generator-cli", "java", "go")),
    "curl": QuickStart("quickstart.sh", "sh quickstart.sh", ("curl",)),
}


def installed(language: str, folder: Path) -> None:
    """Provide the pinned packages that the commands would download."""
    if language == "typescript":
        built = Path(CLIENTS["openapi-typescript"].command()[1])
        (folder / "node_modules").symlink_to(built.parents[1] / "node_modules")
        (folder / "package.json").write_text('{"type": "module"}')


Run = Callable[..., str]


@pytest.fixture(scope="module", params=QUICKSTARTS)
def run(
    request: pytest.FixtureRequest, served: Local, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Runs the program of a quick start; its commands were run once before."""
    language: str = request.param
    start = QUICKSTARTS[language]
    for tool in start.tools:
        needed(tool)
    folder = tmp_path_factory.mktemp(language)
    shutil.copy(QUICKSTART / start.program, folder)
    installed(language, folder)
    commands = markdown.block("docs/quickstart.md", f"sh quickstart-{language}")
    assert commands.rstrip().endswith(f"{start.run} shop-1")
    shell.run(markdown.block("docs/quickstart.md", "sh pictures"), folder)
    variables = {**shell.caller(served), "GOCACHE": str(folder / "go-cache"), "GOPROXY": "off"}
    assert "VERIFIED" in shell.run(commands, folder, variables)

    def again(arguments: str, status: int = 0) -> str:
        return shell.run(f"{start.run} {arguments}", folder, variables, status)

    return again


def test_a_quick_start_creates_a_customer_that_may_buy(run: Run) -> None:
    own = f"shop-{uuid4().hex}"
    for _ in range(2):  # a restart creates no second customer
        said = run(own)
        assert "VERIFIED" in said
        assert "may buy" in said or '"requirements":[]' in said


def test_a_quick_start_uploads_pictures_and_waits_for_a_review(run: Run) -> None:
    assert "VERIFIED" in run(f"review-pass-{uuid4().hex} {PICTURES}")
    rejected = run(f"review-reject-{uuid4().hex} {PICTURES}")
    assert "REJECTED" in rejected
    assert REASON in rejected
    assert "VERIFICATION" in rejected  # what it still needs


def test_a_quick_start_prints_a_problem_and_exits_with_failure(run: Run) -> None:
    assert "RESELLER_NOT_ALLOWED" in run("code-CBC-99000037", status=1)


def test_a_quick_start_repeats_a_retryable_request_with_the_same_key(
    run: Run, served: Local
) -> None:
    sandbox, own = SandboxDriver(served.sandbox_url), f"shop-{uuid4().hex}"
    sandbox.fault("create_customer", "reset", count=1)
    sandbox.fault("verified-info", "reset", count=1)
    try:
        assert "VERIFIED" in run(own)
    finally:
        sandbox.clear_faults()
    # On a repeat the gateway looks at what Huawei has done, and does not send again.
    for operation in ("create_customer", "verified-info"):
        sent = [one for one in sandbox.requests(operation) if own in one["body"]]
        assert len(sent) == 1


def test_every_quick_start_program_is_tested() -> None:
    programs = {path.name for path in QUICKSTART.glob("quickstart.*")}
    assert programs == {start.program for start in QUICKSTARTS.values()}
    text = (DOCS / "quickstart.md").read_text()
    for program in programs:
        assert f": {program}\n" in text
