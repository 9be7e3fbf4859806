"""The documented programs that read a bill add up its lines, and tell a part from the whole."""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from demo.local import Local
from tests.clients.languages import CLIENTS
from tests.docs.test_quickstart import installed
from tests.support import shell
from tests.support.bills import csv_file, packed, put
from tests.support.programs import needed
from tools.docs import markdown
from tools.docs.written import QUICKSTART

PROGRAMS = {
    "python": ("bill.py", ()),
    "typescript": ("bill.ts", CLIENTS["openapi-typescript"].tools),
    "go": ("bill.go", ("go",)),
    "curl": ("bill.sh", ("curl",)),
}
ADDING = ("python", "typescript", "go")
MONTH = "202610"
AMOUNTS = [f"{number * 7919 // 10**8}.{number * 7919 % 10**8:08d}" for number in range(9000)]
ROWS = [[f"cust-{n % 3}", amount] for n, amount in enumerate([*AMOUNTS, "-0.00000001"])]
WHOLE = packed(csv_file([["Customer ID", "Amount due"], *ROWS]), month=MONTH)
Run = Callable[..., str]


@pytest.fixture
def run(language: str, served: Local, tmp_path: Path) -> Run:
    """Runs the program's commands, for the bill of October 2026."""
    name, tools = PROGRAMS[language]
    for tool in tools:
        needed(tool)
    shutil.copy(QUICKSTART / name, tmp_path)
    installed(language, tmp_path)
    commands = markdown.block("docs/billing.md", f"sh bill-{language}")
    assert name.partition(".")[0] in commands
    variables = {**shell.caller(served), "GOCACHE": str(tmp_path / "go-cache"), "GOPROXY": "off"}

    def again(content: bytes | None = WHOLE, status: int = 0) -> str:
        if content is not None:
            put(served.sandbox_url, content, MONTH)
        text = commands if content is not None else commands.replace("2026-10", "2026-02")
        return shell.run(text, tmp_path, variables, status)

    return again


@pytest.mark.parametrize("language", ADDING)
def test_a_program_adds_up_a_bill_exactly(run: Run) -> None:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for customer, amount in ROWS:
        sums[customer] += Decimal(amount)
    said = run().splitlines()
    assert sorted(said) == [f"{customer}: {amount:f}" for customer, amount in sorted(sums.items())]


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_program_refuses_a_part_of_a_bill_and_a_problem(run: Run, tmp_path: Path) -> None:
    said = run(WHOLE[:-9], status=1)
    assert "cust-" not in said
    assert "BILL_NOT_READY" in run(None, status=1)
    assert not list(tmp_path.glob("*.csv*"))


@pytest.mark.parametrize("language", ["curl"])
def test_the_file_of_a_bill_is_complete(run: Run, tmp_path: Path) -> None:
    assert run() == ""
    with (tmp_path / "lines.csv").open(newline="") as file:
        names, *lines = csv.reader(file, strict=True)
    assert (names, lines) == (["customer_id", "Amount due"], ROWS)
