"""The partner accounts, as an operator may see them."""

from typing import Any

from marshmallow import fields

from app.api.authentication import requires
from app.api.extensions import gateway
from app.api.problems import IDENTITY_PROBLEMS, ResourceBlueprint
from app.fields import ResponseSchema, UtcTime

blueprint = ResourceBlueprint(
    "accounts", __name__, url_prefix="/v1/accounts", description="The partner accounts"
)


class KeyPairSchema(ResponseSchema):
    """A key pair; never its secret, and of its access key only the ends."""

    access_key = fields.String()
    condition = fields.String(
        required=True,
        metadata={
            "description": "PROVEN, UNPROVEN (not accepted yet), REFUSED or LOCKED (rests for "
            "Huawei's lock window), EXPIRED, MISSING (its files cannot be read)"
        },
    )
    written_at = UtcTime(metadata={"description": "when its files were written, or mounted"})
    loaded_at = UtcTime()
    last_success = UtcTime()
    expires_at = UtcTime()


class TokenSchema(ResponseSchema):
    """An IAM token; never its text."""

    condition = fields.String(
        required=True,
        metadata={
            "description": "HELD, NONE (asked for when needed), REFUSED (password), LOCKED (user)"
        },
    )
    issued_at = UtcTime()
    expires_at = UtcTime()
    last_success = UtcTime()


class AccountSchema(ResponseSchema):
    """One partner account."""

    account = fields.String(required=True)
    endpoint = fields.String(required=True)
    authentication = fields.String(required=True)
    key_pairs = fields.List(fields.Nested(KeyPairSchema))
    token = fields.Nested(TokenSchema)


class AccountsSchema(ResponseSchema):
    """Every partner account."""

    accounts = fields.List(fields.Nested(AccountSchema), required=True)


EXAMPLE = {
    "accounts": [
        {
            "account": "default",
            "endpoint": "https://bss-intl.myhuaweicloud.com",
            "authentication": "signature",
            "key_pairs": [
                {
                    "access_key": "QTWA…UC",
                    "condition": "PROVEN",
                    "written_at": "2026-11-02T08:00:00Z",
                    "loaded_at": "2026-11-23T09:00:00Z",
                    "last_success": "2026-11-23T09:30:00Z",
                }
            ],
        }
    ]
}


@blueprint.get("")
@requires("operations:read")
@blueprint.doc(operationId="listAccounts")
@blueprint.response(200, AccountsSchema(), example=EXAMPLE)
@blueprint.problems(IDENTITY_PROBLEMS)
def list_accounts() -> dict[str, Any]:
    """List the partner accounts and the state of their credentials.

    As the answering process sees them.
    """
    parts = gateway()
    return {
        "accounts": [
            {
                "account": name,
                "endpoint": parts.settings.accounts[name].endpoint,
                **credentials.describe(),
            }
            for name, credentials in parts.credentials.items()
        ]
    }
