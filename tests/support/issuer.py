"""An issuer of tokens, like a cluster or an identity provider."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.raw_upstream import RawUpstream, Received, answer

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


CLUSTER = "application/jwk-set+json"  # the only type that the API server of a cluster answers
PROVIDER = "application/json"


class KeySetServer(RawUpstream):
    """Serves a key set, and is as strict as the API server of a cluster.

    A request that does not accept the type of the document gets 406, one without the expected
    token 401, one with another method 405.

    Args:
        media_type: The type of the document.
        document: The document; a test may replace it.
        token: The bearer token that requests must have; None for none.
        tls: The TLS context of an HTTPS server.
    """

    def __init__(
        self,
        media_type: str = CLUSTER,
        document: str | None = None,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(self._serve_document, tls=tls)
        self.document = published() if document is None else document
        self._media_type = media_type
        self._authorization = f"Bearer {token}" if token else None

    @property
    def jwks_url(self) -> str:
        """The URL of the key set; its query must not be logged."""
        return f"{self.url.replace('127.0.0.1', 'localhost')}/openid/v1/jwks?x=1"

    def _serve_document(self, connection: Any) -> None:
        status = self._status(self.requests[-1])
        content = self.document if status == 200 else '{"kind":"Status"}'
        media_type = self._media_type if status == 200 else "application/json"
        connection.sendall(answer(status, content, f"Content-Type: {media_type}"))

    def _status(self, request: Received) -> int:
        accepted = {
            entry.partition(";")[0].strip()
            for entry in request.headers.get("Accept", "").split(",")
        }
        if not request.line.startswith("GET "):
            return 405
        if request.headers.get("Authorization") != self._authorization:
            return 401
        return 200 if accepted & {self._media_type, "application/*", "*/*"} else 406
