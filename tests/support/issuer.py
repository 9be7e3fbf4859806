"""An issuer of tokens, like a cluster or an identity provider."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://kubernetes.default.svc.cluster.local"
AUDIENCE = "partner-gateway"
SUBJECT = "system:serviceaccount:billing:api"


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


RSA = rsa_key()
STRANGER = rsa_key()
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()


def public(key: Any, key_id: str, **members: Any) -> dict[str, Any]:
    """A public key as a member of a key set."""
    kinds: Mapping[type, Any] = {
        rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
        ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
        ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
    }
    kind = next(found for known, found in kinds.items() if isinstance(key, known))
    published: dict[str, Any] = json.loads(kind.to_jwk(key.public_key()))
    published.pop("key_ops", None)
    return published | {"kid": key_id} | members


def key_set(*keys: Mapping[str, Any]) -> str:
    return json.dumps({"keys": keys})


def published() -> str:
    """The published key set of the test issuer."""
    return key_set(
        public(RSA, "one", use="sig", alg="RS256"), public(EC, "two"), public(ED, "three")
    )


def write(folder: Path) -> Path:
    path = folder / "jwks.json"
    path.write_text(published())
    return path


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a valid token; a claim set to `...` is omitted."""
    now = int(time.time())
    said = {
        "iss": ISSUER,
        "aud": [AUDIENCE],
        "sub": SUBJECT,
        "iat": now,
        "nbf": now,
        "exp": now + 600,
    } | changes
    return {name: value for name, value in said.items() if value is not ...}


def token(
    key: Any = RSA, algorithm: str | None = "RS256", kid: str | None = "one", **changes: Any
) -> str:
    headers = {"kid": kid} if kid is not None else {}
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)


def public_pem() -> bytes:
    """The public key as PEM, which a verifier with key confusion uses as a shared secret."""
    return RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
