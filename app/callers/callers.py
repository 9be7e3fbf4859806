"""Identifies callers by their key or signed token."""

from collections.abc import Mapping
from hashlib import sha256

from app.callers.issuers import Issuer, claimed_issuer
from app.callers.key_set import KeySet
from app.callers.sources import Reach, source
from app.errors import ErrorCode, GatewayError
from app.settings import CallerSettings, Settings


class Callers:
    """Finds the caller by the digest of its key, or by the subject of its signed token.

    Args:
        settings: The configuration, with the callers and the issuers of tokens.
        reach: Returns what sends requests to a service, for the key sets of issuers.

    Raises:
        OSError: if the certificate authorities of an issuer cannot be read.
    """

    def __init__(self, settings: Settings, reach: Reach) -> None:
        self._callers = settings.callers
        self._by_digest = {
            digest: name
            for name, caller in settings.callers.items()
            for digest in caller.keys_sha256
        }
        self._issuers: dict[str, tuple[Issuer, Mapping[str, str]]] = {}
        if settings.kubernetes:
            names = {
                "system:serviceaccount:" + caller.service_account.replace("/", ":"): name
                for name, caller in settings.callers.items()
                if caller.service_account
            }
            keys = KeySet("kubernetes", source(settings.kubernetes, reach))
            issuer = Issuer(settings.kubernetes, keys)
            self._issuers[settings.kubernetes.issuer] = issuer, names
        if settings.oidc:
            names = {
                caller.oidc_subject: name
                for name, caller in settings.callers.items()
                if caller.oidc_subject
            }
            keys = KeySet("oidc", source(settings.oidc, reach))
            issuer = Issuer(settings.oidc, keys, settings.oidc.caller_claim)
            self._issuers[settings.oidc.issuer] = issuer, names

    def identify(self, authorization: str | None) -> tuple[str, CallerSettings]:
        """The name and settings of the caller whose key or token the header carries.

        Args:
            authorization: The `Authorization` header; None if it is missing.

        Raises:
            GatewayError: UNAUTHENTICATED; IDENTITY_UNAVAILABLE if the present keys of the token's
                issuer could not be read.
        """
        scheme, _, credential = (authorization or "").partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not credential:
            raise GatewayError(
                ErrorCode.UNAUTHENTICATED, "Send your key as `Authorization: Bearer <key>`."
            )
        name = self._by_key(credential)
        if name is None and self._issuers and credential.count(".") == 2:
            name = self._by_token(credential)
        if name is None:
            raise GatewayError(ErrorCode.UNAUTHENTICATED, "The key is unknown.")
        return name, self._callers[name]

    def _by_key(self, key: str) -> str | None:
        """The name of the caller with this key; None if there is none.

        The look-up uses the key's digest. A caller cannot choose the bytes of a digest, so that
        the time of the look-up reveals nothing about a key.
        """
        digest = sha256(key.encode("latin-1", "replace")).hexdigest()
        return self._by_digest.get(digest)

    def _by_token(self, token: str) -> str:
        issuer, names = self._issuers.get(claimed_issuer(token), (None, {}))
        if issuer is None:
            raise GatewayError(ErrorCode.UNAUTHENTICATED, "The token's issuer is not trusted here.")
        name = names.get(issuer.subject(token))
        if name is None:
            raise GatewayError(ErrorCode.UNAUTHENTICATED, "The token's subject is unknown.")
        return name
