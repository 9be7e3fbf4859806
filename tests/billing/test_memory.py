"""The memory that a bill needs does not depend on its size."""

from __future__ import annotations

import subprocess
import sys

MOST = 16 * 1024  # KiB

PROGRAM = """
import re, tarfile, zlib
from pathlib import Path
from app.billing.file import BillFile
from app.billing.formats import FORMATS
from app.billing.month import Month
from app.settings import BillSettings

class Endless:
    '''A bill of %d MB that is made while it is read.'''
    def __init__(self):
        self.pieces, self.rest = self.made(), b""
    def made(self):
        packer = zlib.compressobj(1, wbits=31)
        lines = "".join(f"cust-{n},{n * 7919:0400d},{n * 104729:0200d}\\n" for n in range(1600))
        member = tarfile.TarInfo("customerBill_202605_1.csv")
        head = b"Customer ID,a,b\\n"
        member.size = len(head) + len(lines) * %d
        yield packer.compress(member.tobuf() + head)
        for _ in range(%d):
            yield packer.compress(lines.encode())
        yield packer.compress(bytes(512 + -member.size %% 512)) + packer.flush()
    def read(self, size=-1):
        while not self.rest:
            self.rest = next(self.pieces, None)
            if self.rest is None:
                return b""
        piece, self.rest = self.rest[:size], self.rest[size:]
        return piece
    def close(self):
        pass

def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])

before = peak()
file = BillFile(Endless(), Month(2026, 5), BillSettings())
written = FORMATS["application/x-ndjson"](file.columns)
size = sum(len(written.write(lines)) for lines in file.wanted(None))
print(file.lines, size, peak() - before)
"""


def test_100_megabytes_of_lines_need_few_megabytes_of_memory() -> None:
    parts = 100
    program = PROGRAM % (parts, parts, parts)
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=True
    )
    lines, size, memory = map(int, done.stdout.split())
    assert lines == parts * 1600
    assert size > 95 * 1024**2
    assert memory < MOST
