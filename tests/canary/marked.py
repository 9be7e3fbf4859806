"""A gateway's configuration in which every secret is a marker, and its callers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from app.settings import Scope
from demo.local import BUCKET, BUCKET_ACCESS_KEY, BUCKET_SECRET_KEY, REGION
from tests.canary.markers import Markers
from tests.support import issuer
from tests.support.accounts import PASSWORD, Mounted
from tests.support.gateway import PARTNER_ID, PLATFORM_ID, digest
from tests.support.valkey import PASSWORD as STATE_PASSWORD

OIDC = "https://login.example.com/realms/company"
ACCOUNTS = ("legacy", "review", "token")
NOWHERE = "http://127.0.0.1:1"  # nothing listens there
EVERYTHING = list(get_args(Scope))
FAR = "2099-01-01T00:00:00Z"


@dataclass(frozen=True)
class Secrets:
    """The mounted files of the secrets, and the credentials of the callers."""

    folder: Path
    pairs: dict[str, Mounted]
    password: Path
    keys: dict[str, str]  # caller -> its key
    service_account: str


def write_secrets(folder: Path, markers: Markers) -> Secrets:
    """Write every secret as a marker."""
    pairs = {
        name: Mounted(folder / name, temporary=name == "review") for name in ("legacy", "review")
    }
    for name, pair in pairs.items():
        token = markers.mark("security token", "QANARY-{core}-security-token")
        pair.write(
            markers.mark(f"access key of {name}", "QANARYAK{core}01"),
            markers.mark(f"secret key of {name}", "QANARY-{core}-secret-key"),
            *((token, FAR) if pair.temporary else ()),
        )
    (folder / "password").write_text(markers.know("IAM password", PASSWORD))
    (folder / "state-key").write_text(
        markers.mark("state key", "QANARY-{core}-state-key-of-32-bytes")
    )
    (folder / "jwks-token").write_text(markers.mark("token for the JWKS", "QANARY-{core}-jwks"))
    secret = markers.mark("secret of a webhook", "whsec_QANARY{core}AAAAAAAAAAAAAA")
    (folder / "webhook-secret").write_text(secret)
    (folder / "bucket-ak").write_text(BUCKET_ACCESS_KEY)
    (folder / "bucket-sk").write_text(markers.know("bucket's secret key", BUCKET_SECRET_KEY))
    markers.know("Redis password", STATE_PASSWORD)
    markers.know("a signature", "Signature=")
    markers.know("a signature's algorithm", "SDK-HMAC-SHA256")
    markers.know("a signature's algorithm at OBS", "AWS4-HMAC-SHA256")
    names = ("everything", "reader", "powerless", "limited")
    keys = {name: markers.mark(f"key of {name}", "QANARY-{core}-key") for name in names}
    account = markers.mark("service account", "qanary-{core}")
    return Secrets(folder, pairs, folder / "password", keys, account)


def pairs(markers: Markers) -> dict[str, dict[str, Any]]:
    """The marked key pairs, in the format of the sandbox."""
    known: dict[str, dict[str, Any]] = {}
    for name in ("legacy", "review"):
        secret = markers.mark(f"secret key of {name}", "QANARY-{core}-secret-key")
        known[markers.mark(f"access key of {name}", "QANARYAK{core}01")] = {"secret_key": secret}
        if name == "review":
            token = markers.mark("security token", "QANARY-{core}-security-token")
            known[markers.mark(f"access key of {name}", "QANARYAK{core}01")]["security_token"] = (
                token
            )
    return known


def configuration(
    secrets: Secrets, markers: Markers, *, sandbox: str, state: str, jwks: str, collector: str
) -> dict[str, Any]:
    """The configuration with every section."""
    folder = secrets.folder
    shared = {
        "endpoint": sandbox,
        "partner_id": PARTNER_ID,
        "platform_id": PLATFORM_ID,
        "quota": {"requests_per_second": 1000},
        "reliability": {"tries": 2, "breaker_failures": 1000},
        "timeouts": {"connect": 1, "read": 0.4},
        "attachments": {
            "endpoint": sandbox.replace("127.0.0.1", "localhost"),
            "bucket": BUCKET,
            "region": REGION,
            "access_key_file": str(folder / "bucket-ak"),
            "secret_key_file": str(folder / "bucket-sk"),
        },
    }
    accounts: dict[str, dict[str, Any]] = {name: dict(shared) for name in ACCOUNTS}
    for name, pair in secrets.pairs.items():
        files = {key: str(path) for key, path in pair.settings.items()}
        accounts[name] |= {"credentials": [files], "verification": {"backend": name}}
    accounts["lost"] = {
        **accounts["legacy"],
        "endpoint": NOWHERE,
        "reliability": {"tries": 1, "breaker_failures": 1},
    }
    accounts["slow"] = {**accounts["legacy"], "quota": {"requests_per_second": 1}}
    accounts["auto"] = {**accounts["legacy"], "verification": {"backend": "auto"}}
    accounts["token"] |= {
        "authentication": "token",
        "iam": {
            "endpoint": sandbox,
            "domain": "partner",
            "user": "partner",
            "password_file": str(secrets.password),
        },
    }
    callers: dict[str, dict[str, Any]] = {
        name: {"keys_sha256": [digest(key)], "accounts": [*ACCOUNTS, "lost", "slow", "auto"]}
        for name, key in secrets.keys.items()
    }
    callers["everything"]["scopes"] = EVERYTHING
    callers["everything"]["webhook"] = {
        "url": f"{NOWHERE}/hooks",
        "secret_file": str(folder / "webhook-secret"),
        "event_types": ["VERIFICATION_ENDED"],
    }
    callers["reader"] |= {"scopes": ["verifications:read"], "customers": "shop-[0-9]+"}
    callers["limited"] |= {"scopes": EVERYTHING, "rate": "1/hour"}
    rights = {"scopes": EVERYTHING, "accounts": list(ACCOUNTS)}
    callers["cluster"] = {"service_account": f"{secrets.service_account}/api", **rights}
    callers["person"] = {"oidc_subject": markers.mark("OIDC subject"), **rights}
    return {
        "accounts": accounts,
        "callers": callers,
        "state": {"url": state, "key_file": str(folder / "state-key")},
        "kubernetes": {
            "issuer": issuer.ISSUER,
            "audience": issuer.AUDIENCE,
            "jwks_url": jwks,
            "token_file": str(folder / "jwks-token"),
        },
        "oidc": {
            "issuer": OIDC,
            "audience": issuer.AUDIENCE,
            "jwks_file": str(folder / "jwks.json"),  # absent at first
        },
        "webhooks": {"hosts": ["127.0.0.1"]},
        "audit": {"file": str(folder.parent / "audit.jsonl")},
        "tracing": {"endpoint": collector},
    }
