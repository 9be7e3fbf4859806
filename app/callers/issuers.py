"""Verifies signed tokens (JWTs): of service accounts, and of an identity provider."""

from typing import NoReturn

import jwt

from app.callers.key_set import KeySet
from app.errors import ErrorCode, GatewayError
from app.settings import IssuerSettings

# Only asymmetric algorithms: a public key must never be used as a shared secret.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
LEEWAY = 30  # seconds of clock skew that are tolerated

# The exceptions of the libraries for malformed or hostile tokens.
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, RecursionError)
# Our texts, by exception; the first match counts. PyJWT's texts can hold parts of the token.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "The token has expired: fetch a new one."),
    (jwt.ImmatureSignatureError, "The token is not valid yet."),
    (jwt.InvalidAudienceError, "The token is for another audience."),
    (jwt.InvalidIssuerError, "The token's issuer is not trusted here."),
    (jwt.MissingRequiredClaimError, "The token lacks a required claim."),
    (jwt.InvalidAlgorithmError, "The token's algorithm is not accepted."),
)


def _refuse(error: BaseException) -> NoReturn:
    texts = (text for kind, text in _REASONS if isinstance(error, kind))
    detail = next(texts, "The token cannot be verified.")
    raise GatewayError(ErrorCode.UNAUTHENTICATED, detail) from None


def claimed_issuer(token: str) -> str:
    """The issuer that a token claims (`iss`), without any verification.

    It selects the keys for the verification, and must not be used for anything else.

    Raises:
        GatewayError: UNAUTHENTICATED if the text is not a JWT.
    """
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        return str(claims.get("iss"))
    except _UNREADABLE as error:
        _refuse(error)


class Issuer:
    """An issuer of callers' tokens.

    Args:
        settings: The issuer and the audience.
        keys: The issuer's keys.
        claim: The claim that names the caller.
    """

    def __init__(self, settings: IssuerSettings, keys: KeySet, claim: str = "sub") -> None:
        self._issuer = settings.issuer
        self._audience = settings.audience
        self._claim = claim
        self._keys = keys

    def subject(self, token: str) -> str:
        """The caller that a token names, after its signature, issuer, audience and times hold.

        Raises:
            GatewayError: UNAUTHENTICATED if the token is not valid; IDENTITY_UNAVAILABLE if
                the issuer's present keys could not be read.
        """
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in ALGORITHMS:
                raise jwt.InvalidAlgorithmError
            key = self._keys.key(header.get("kid"))
            if key is None:
                text = "The token is signed with a key that its issuer does not publish."
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
