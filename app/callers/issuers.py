"""Signed tokens: what an issuer says of a caller, once the signature holds.

A cluster's service-account tokens and an identity provider's access tokens are both JWTs.
"""

from typing import NoReturn

import jwt

from app.callers.key_set import KeySet, key_set
from app.errors import ErrorCode, GatewayError
from app.settings import IssuerSettings

# Closed, and without a symmetric one: a public key is never taken for a shared secret.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
LEEWAY = 30  # seconds between the issuer's clock and ours

# What the libraries raise on texts made to be hostile.
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, RecursionError)
# The first that fits. PyJWT's own texts can hold what the token says.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "The token has expired: fetch a new one."),
    (jwt.ImmatureSignatureError, "The token is not valid yet."),
    (jwt.InvalidAudienceError, "The token is meant for another audience."),
    (jwt.InvalidIssuerError, "The token's issuer is not trusted here."),
    (jwt.MissingRequiredClaimError, "The token lacks a claim that is needed here."),
    (jwt.InvalidAlgorithmError, "The token is signed by an algorithm that is not taken."),
)


def _refuse(error: BaseException) -> NoReturn:
    texts = (text for kind, text in _REASONS if isinstance(error, kind))
    detail = next(texts, "The token cannot be verified.")
    raise GatewayError(ErrorCode.UNAUTHENTICATED, detail) from None


def claimed_issuer(token: str) -> str:
    """Who a token says issued it: chooses whose keys to verify it with, and proves nothing.

    Raises:
        GatewayError: UNAUTHENTICATED if it is no token.
    """
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        return str(claims.get("iss"))
    except _UNREADABLE as error:
        _refuse(error)


class Issuer:
    """One who vouches for callers.

    Args:
        name: Its section in the configuration.
        settings: What its tokens must say, and where its keys are.
        claim: The claim that names the caller.
        keys: Its keys; where the settings say if None.
    """

    def __init__(
        self, name: str, settings: IssuerSettings, claim: str = "sub", keys: KeySet | None = None
    ) -> None:
        self._issuer = settings.issuer
        self._audience = settings.audience
        self._claim = claim
        self._keys = keys or key_set(name, settings)

    def subject(self, token: str) -> str:
        """Whom a token names, once its signature, issuer, audience and times hold.

        Raises:
            GatewayError: UNAUTHENTICATED, or IDENTITY_UNAVAILABLE if no key is known yet.
        """
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in ALGORITHMS:
                raise jwt.InvalidAlgorithmError
            key = self._keys.key(header.get("kid"))
            if key is None:
                text = "The token is signed by a key that its issuer does not publish."
                raise GatewayError(ErrorCode.UNAUTHENTICATED, text)
            if key.algorithm not in (None, algorithm):
                raise jwt.InvalidAlgorithmError
            claims = jwt.decode(
                token,
                key.public,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", self._claim]},
            )
        except _UNREADABLE as error:
            _refuse(error)
        return str(claims[self._claim])
