"""The work common to all peers: key check, translation, signature, meaning of codes, log line."""

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import Any
from urllib.parse import quote

# Set by benchmarks.servers.
ENDPOINT = os.environ["UPSTREAM"]
HOST = ENDPOINT.partition("://")[2]
PARTNER_ID = os.environ["PARTNER_ID"]
PLATFORM_ID = os.environ["PLATFORM_ID"]
ACCESS_KEY = os.environ["ACCESS_KEY"]
SECRET_KEY = os.environ["SECRET_KEY"].encode()
CALLERS: Mapping[str, str] = json.loads(os.environ["CALLERS"])  # digest of the key -> name

PATH = f"/v1.0/{quote(PARTNER_ID)}/partner/customer-mgr/verified-info"
URL = ENDPOINT + PATH
DOCUMENTS = {"ID_CARD": 1, "PASSPORT": 2, "ID_CARD_GEN1": 4, "ID_CARD_TEMPORARY": 5}
MEANINGS = {
    "CBC.0100": (422, "UPSTREAM_REJECTED_FIELDS"),
    "CBC.0150": (503, "UPSTREAM_ACCESS_DENIED"),
    "CBC.0250": (503, "UPSTREAM_THROTTLED"),
    "CBC.0999": (502, "UPSTREAM_ERROR"),
    "CBC.5001": (503, "PARTNER_NOT_ENABLED"),
    "CBC.5002": (404, "CUSTOMER_NOT_FOUND"),
    "CBC.5004": (409, "CUSTOMER_NOT_ASSOCIATED"),
    "CBC.5005": (409, "VERIFICATION_IN_PROGRESS"),
    "CBC.5006": (409, "CUSTOMER_KIND_MISMATCH"),
}
_SIGNED = "content-type;host;x-sdk-date"

logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
for _name in ("httpx", "httpcore", "aiohttp", "uvicorn"):
    logging.getLogger(_name).setLevel(logging.WARNING)
_log = logging.getLogger("peer")


class Failure(Exception):
    """A failure that is answered as a problem."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


def caller(authorization: str | None) -> str:
    """The name of the caller."""
    scheme, _, key = (authorization or "").partition(" ")
    digest = sha256(key.encode()).hexdigest()
    for known, name in CALLERS.items():
        if scheme.lower() == "bearer" and compare_digest(digest, known):
            return name
    raise Failure(401, "UNAUTHENTICATED")


def translated(customer_id: str, submission: Mapping[str, Any]) -> bytes:
    """Huawei's request body for a body of the contract."""
    document = submission["document"]
    if document["type"] not in DOCUMENTS:
        raise Failure(422, "DOCUMENT_TYPE_UNSUPPORTED")
    body = {
        "xaccountType": PLATFORM_ID,
        "xaccountId": submission["partner_user_id"],
        "domainId": customer_id,
        "verifiedType": 0,
        "verifiedStatus": 2,
        "name": submission["full_name"],
        "identifyType": DOCUMENTS[document["type"]],
        "verifiedNumber": document["number"],
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def signed(body: bytes) -> dict[str, str]:
    """The headers of a request signed by SDK-HMAC-SHA256."""
    date = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    canonical = (
        f"PUT\n{PATH}/\n\ncontent-type:application/json\nhost:{HOST}\nx-sdk-date:{date}\n\n"
        f"{_SIGNED}\n{sha256(body).hexdigest()}"
    )
    to_sign = f"SDK-HMAC-SHA256\n{date}\n{sha256(canonical.encode()).hexdigest()}"
    signature = hmac_digest(SECRET_KEY, to_sign.encode(), "sha256").hex()
    return {
        "Content-Type": "application/json",
        "Host": HOST,
        "X-Sdk-Date": date,
        "Authorization": f"SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders={_SIGNED}, "
        f"Signature={signature}",
    }


def read(customer_id: str, status: int, content: bytes) -> dict[str, Any]:
    """The answer of the contract for an answer of Huawei."""
    try:
        body = json.loads(content)
    except ValueError:
        raise Failure(502, "UPSTREAM_MALFORMED") from None
    code = body.get("error_code", "CBC.0000")
    if code != "CBC.0000":
        raise Failure(*MEANINGS.get(code, (502, "UPSTREAM_UNMAPPED")))
    if not 200 <= status < 300:
        raise Failure(502, "UPSTREAM_MALFORMED")
    return {
        "customer_id": customer_id,
        "kind": "INDIVIDUAL",
        "status": "VERIFIED",
        "final": True,
        "backend": "legacy",
        "checked_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }


def log(begun: float, caller: str | None, customer_id: str, status: int, code: str | None) -> None:
    """Write the log line of a request."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "caller": caller,
        "customer_id": customer_id,
        "status": status,
        "code": code,
        "milliseconds": round((time.monotonic() - begun) * 1000, 1),
    }
    _log.info("%s", json.dumps(line))
