"""The interface of the two backends, and the draft of a submission."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.errors import ErrorCode, FieldError, GatewayError
from app.fields import Rule
from app.huawei.pacing.deadline import Errand
from app.verification.backends.translation import Code
from app.verification.model import Kind, Verification

# If all broken rules have these codes, the first of these codes is the problem. Otherwise the
# problem is VALIDATION_FAILED.
_SPECIAL = (
    ErrorCode.DOCUMENT_TYPE_UNSUPPORTED,
    ErrorCode.EVIDENCE_REQUIRED,
    ErrorCode.ATTACHMENT_FORMAT,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A submission in a backend's words, and the backend's rules that it breaks."""

    body: Mapping[str, Any]
    errors: tuple[FieldError, ...]

    @property
    def unsupported(self) -> bool:
        """Whether the backend does not accept this type of document."""
        return any(one.code == ErrorCode.DOCUMENT_TYPE_UNSUPPORTED.name for one in self.errors)


def document_code(types: Mapping[str, int], backend: str) -> Code:
    """The field of Huawei's number of the document type."""
    text = f"must be one of {', '.join(types)} on the {backend} backend"
    unsupported = Rule(ErrorCode.DOCUMENT_TYPE_UNSUPPORTED.name, text)
    return Code(types, unsupported, attribute="document.type")


class Backend(Protocol):
    """One generation of Huawei's API."""

    @property
    def name(self) -> str:
        """Its word in the contract."""

    def draft(self, kind: Kind, ours: Mapping[str, Any]) -> Draft:
        """Translate a submission and check it. Sends nothing."""

    def submit(self, kind: Kind, customer_id: str, draft: Draft, errand: Errand) -> Verification:
        """Send a draft that breaks no rule.

        Raises:
            GatewayError: whatever the call ended in.
        """


def refusal(errors: Iterable[FieldError]) -> GatewayError:
    """The problem of a submission that breaks these rules."""
    errors = tuple(errors)
    codes = {error.code for error in errors}
    if codes <= {code.name for code in _SPECIAL}:
        code = next(code for code in _SPECIAL if code.name in codes)
    else:
        code = ErrorCode.VALIDATION_FAILED
    return GatewayError(code, errors=errors)
