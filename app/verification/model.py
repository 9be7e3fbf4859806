"""The words of a verification: its kinds, states, documents, and what is known of one."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# Only these characters: customer ids stand in our paths and in signed paths.
CUSTOMER_ID = "[A-Za-z0-9_-]{1,64}"
ATTACHMENT_NAME = "[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}"


class Kind(StrEnum):
    """What is verified: a person, a company, or a person's account that becomes a company's."""

    INDIVIDUAL = "INDIVIDUAL"
    ENTERPRISE = "ENTERPRISE"
    ENTERPRISE_CHANGE = "ENTERPRISE_CHANGE"


class Status(StrEnum):
    """Where a verification stands."""

    VERIFIED = "VERIFIED"
    IN_REVIEW = "IN_REVIEW"
    REJECTED = "REJECTED"
    NOT_SUBMITTED = "NOT_SUBMITTED"


INDIVIDUAL_DOCUMENTS = (
    "ID_CARD",
    "ID_CARD_GEN1",
    "ID_CARD_TEMPORARY",
    "PASSPORT",
    "HK_MACAU_PERMIT",
    "TAIWAN_PERMIT",
    "HK_MACAU_RESIDENCE",
    "TAIWAN_RESIDENCE",
)
ENTERPRISE_DOCUMENTS = (
    "BUSINESS_LICENSE",
    "ORGANIZATION_CODE",
    "INSTITUTION_CERTIFICATE",
    "SOCIAL_ORGANIZATION_CERTIFICATE",
    "LAW_ENFORCEMENT_CERTIFICATE",
    "OTHER",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The known status of a customer's verification, without personal values.

    `kind` is None where only the result was read, which does not tell it. `reason` is the
    reviewer's remark on a rejection: handed to the caller, never logged. `reconciled` says that
    the answer to the submission was lost, and that this is what Huawei shows since.
    """

    customer_id: str
    status: Status
    backend: str
    checked_at: datetime
    kind: Kind | None = None
    reason: str | None = None
    reconciled: bool = False

    @property
    def final(self) -> bool:
        """Whether the status stays until a new submission."""
        return self.status is not Status.IN_REVIEW
