"""`make demo`: takes customers from an e-mail address until they may buy, and refuses some."""

import argparse
import struct
import sys
import zlib
from collections.abc import Sequence
from tempfile import TemporaryFile
from uuid import uuid4

from demo.local import Local
from demo.show import Show, Unexpected, say

EMAIL = "li.si@example.com"
PERSON = {
    "full_name": "ZHANG SAN",
    "document": {"type": "PASSPORT", "number": "E1234567"},
    "partner_user_id": "shop-981",
}
PICTURES = ("data-page.png", "holding.png")


def picture() -> bytes:
    """A PNG of one pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\x00\xff\xff\xff")
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
    )


def _create(show: Show) -> str:
    """Create a customer. Returns its path."""
    show.call(
        "Is the e-mail address free?",
        "POST", "/v1/registrations/check", (200, "true"), {"email": EMAIL},
    )  # fmt: skip
    show.call(
        "Let Huawei mail a code to it",
        "POST", "/v1/registrations/code", (204, ""), {"email": EMAIL},
    )  # fmt: skip
    (mail,) = show.sandbox("mails")
    customer = {"partner_user_id": "shop-981", "country": "SG", "email": EMAIL}
    created = show.call(
        "Create the customer, with the code",
        "POST", "/v1/customers", (202, "ASSOCIATING"), {**customer, "code": mail["code"]},
        Idempotency_Key=str(uuid4()),
    )  # fmt: skip
    return f"/v1/customers/{created['customer_id']}"


def _verify(show: Show, path: str, end: str) -> None:
    customer = path.rpartition("/")[2]
    for name in PICTURES:
        show.call(
            "Upload a picture of the document",
            "PUT", f"{path}/attachments/{name}", (201, f"{customer}/{name}"), picture(),
        )  # fmt: skip
    show.call(
        "Submit the verification: a person reviews it",
        "POST", f"{path}/verifications/individual", (202, "IN_REVIEW"),
        {**PERSON, "attachments": [f"{customer}/{name}" for name in PICTURES]},
    )  # fmt: skip
    show.events("Wait for the event of its end", "VERIFICATION_ENDED", f'"status":"{end}"')


def _onboard(show: Show) -> None:
    say("\nFrom an e-mail address to a customer that may buy\n")
    path = _create(show)
    show.call("Wait until it is associated", "GET", path, (200, "BUDGET"), Prefer="wait=20")
    show.call(
        "Set its budget and unfreeze it",
        "PUT", f"{path}/budget", (200, "500"), {"amount": "500.00", "unfreeze": True},
    )  # fmt: skip
    _verify(show, path, "VERIFIED")
    show.call("May it buy?", "GET", path, (200, '"requirements":[]'))
    show.call("It does not pay: freeze it", "POST", f"{path}/freeze", (200, "true"), {
        "reason": "invoice 2026-117 is overdue"})  # fmt: skip


def _refuse(show: Show) -> None:
    say("\nWithout pictures the older API verifies at once, and what Huawei refuses\n")
    individual = "/v1/customers/{}/verifications/individual".format
    show.call("Verify without pictures", "POST", individual("cust-0001"), (201, "VERIFIED"), PERSON)
    show.call(
        "Huawei does not know the customer (CBC.5002)",
        "POST", individual("code-CBC-5002"), (404, "CUSTOMER_NOT_FOUND"), PERSON,
    )  # fmt: skip
    show.call(
        "A company's document for a person",
        "POST", individual("cust-0002"), (422, "VALIDATION_FAILED"),
        {**PERSON, "document": {"type": "BUSINESS_LICENSE", "number": "91330000X"}},
    )  # fmt: skip
    _verify(show, "/v1/customers/review-reject-0004", "REJECTED")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration. Returns 0 if every answer is the expected one."""
    parser = argparse.ArgumentParser(prog="python -m demo.demo", description=__doc__)
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="print the requests on both sides, and the log"
    )
    options = parser.parse_args(arguments)
    with TemporaryFile() as log, Local(log=log) as local:
        say(f"The gateway is at {local.url}; a sandbox stands in for Huawei.")
        show = Show(local, verbose=options.verbose)
        try:
            _onboard(show)
            _refuse(show)
        except Unexpected as error:
            say(f"!!! {error}")
            return 1
        if options.verbose:
            log.seek(0)
            say("\n=== The gateway's log\n")
            lines = log.read().decode().splitlines()
            say("\n".join(line for line in lines if '"event":"request"' in line))
    say("\nEvery answer was as expected.")
    if not options.verbose:
        say("`make demo VERBOSE=1` shows every request and answer, those to Huawei too.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
