"""The partner accounts and the state of their credentials, for operators."""

import socket
from typing import Any

from marshmallow import fields

from app.api.authentication import requires
from app.api.blueprint import IDENTITY_PROBLEMS, ResourceBlueprint
from app.api.extensions import gateway
from app.fields import ResponseSchema, UtcTime, word

blueprint = ResourceBlueprint(
    "accounts", __name__, url_prefix="/v1/accounts", description="The partner accounts"
)


class KeyPairSchema(ResponseSchema):
    """A key pair: the first and last characters of its access key, and never its secret key."""

    access_key = fields.String()
    condition = fields.String(
        required=True,
        metadata={
            "description": "PROVEN (Huawei accepted it), UNPROVEN (Huawei has not accepted it "
            "yet), REFUSED or LOCKED (suspended for Huawei's lock window), EXPIRED, MISSING (its "
            "files cannot be read)"
        },
    )
    files = word(
        ("CURRENT", "CHANGED", "MISSING"),
        "how its files look now: CHANGED files are not in use yet, MISSING ones cannot be read",
        required=False,
    )
    written_at = UtcTime(
        metadata={"description": "time at which its files were written or mounted"}
    )
    loaded_at = UtcTime()
    last_success = UtcTime()
    expires_at = UtcTime()


class TokenSchema(ResponseSchema):
    """The state of an IAM token, and never the token."""

    condition = fields.String(
        required=True,
        metadata={
            "description": "HELD, NONE (requested when a call needs it), REFUSED (IAM refused the "
            "password), LOCKED (IAM locked the user), MISSING (there is no token, and the "
            "password's file cannot be read); more can be added"
        },
    )
    issued_at = UtcTime()
    expires_at = UtcTime()
    last_success = UtcTime()


class AccountSchema(ResponseSchema):
    """One partner account."""

    account = fields.String(required=True)
    endpoint = fields.String(required=True)
    authentication = word(("signature", "token"))
    key_pairs = fields.List(fields.Nested(KeyPairSchema))
    token = fields.Nested(TokenSchema)


class AccountsSchema(ResponseSchema):
    """All partner accounts, as one replica sees them."""

    replica = fields.String(
        required=True, metadata={"description": "the replica that answers: the name of its host"}
    )
    accounts = fields.List(fields.Nested(AccountSchema), required=True)


EXAMPLE = {
    "replica": "partner-gateway-6d5f8c7b9-x2x7k",
    "accounts": [
        {
            "account": "default",
            "endpoint": "https://bss-intl.myhuaweicloud.com",
            "authentication": "signature",
            "key_pairs": [
                {
                    "access_key": "QTWA…UC",
                    "condition": "PROVEN",
                    "files": "CURRENT",
                    "written_at": "2026-11-02T08:00:00Z",
                    "loaded_at": "2026-11-23T09:00:00Z",
                    "last_success": "2026-11-23T09:30:00Z",
                }
            ],
        }
    ],
}


@blueprint.get("")
@requires("operations:read", about_customers=False)
@blueprint.doc(operationId="listAccounts")
@blueprint.response(200, AccountsSchema(), example=EXAMPLE)
@blueprint.problems(IDENTITY_PROBLEMS)
def list_accounts() -> dict[str, Any]:
    """List the partner accounts and the state of their credentials.

    Each replica has a state of its own; `replica` names the one that answers. It looks at the
    files when it is asked.
    """
    parts = gateway()
    return {
        "replica": socket.gethostname(),
        "accounts": [
            {
                "account": name,
                "endpoint": parts.settings.accounts[name].endpoint,
                **account.credentials.describe(),
            }
            for name, account in parts.accounts.items()
        ],
    }
