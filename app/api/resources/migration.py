"""How ready the callers are for the switch-off of Huawei's legacy API."""

from typing import Any

from marshmallow import fields

from app.api.authentication import requires
from app.api.blueprint import IDENTITY_PROBLEMS, ResourceBlueprint
from app.api.extensions import gateway
from app.fields import ResponseSchema, UtcTime, word
from app.verification.model import BACKENDS

blueprint = ResourceBlueprint(
    "migration",
    __name__,
    url_prefix="/v1/migration",
    description="Readiness for the switch-off of the legacy API",
)


class ObstacleSchema(ResponseSchema):
    """A rule of the review backend, and the number of submissions that broke it."""

    pointer = fields.String(required=True)
    code = fields.String(required=True)
    submissions = fields.Integer(required=True)


class BackendCountSchema(ResponseSchema):
    """The number of submissions that the gateway chose a backend for."""

    backend = word(BACKENDS)
    submissions = fields.Integer(required=True)


class CallerReadinessSchema(ResponseSchema):
    """The submissions of one caller since the process started."""

    caller = fields.String(required=True)
    submissions = fields.Integer(required=True)
    ready_for_review = fields.Integer(
        required=True, metadata={"description": "submissions that the review backend would accept"}
    )
    obstacles = fields.List(fields.Nested(ObstacleSchema), required=True)
    backends = fields.List(fields.Nested(BackendCountSchema), required=True)


class AccountBackendsSchema(ResponseSchema):
    """The backends of one account."""

    account = fields.String(required=True)
    configured = word(("auto", *BACKENDS), "the backend in the configuration")
    backends = fields.List(word(BACKENDS), required=True)
    legacy_retired = fields.Boolean(
        required=True,
        metadata={
            "description": "with `auto`: whether the gateway considers the legacy API switched "
            "off, after repeated answers of Huawei that say so; always false with `legacy` and "
            "`review`"
        },
    )
    legacy_retired_since = UtcTime(metadata={"description": "time of the first of these answers"})


class MigrationSchema(ResponseSchema):
    """The readiness of accounts and callers for the switch-off of the legacy API."""

    accounts = fields.List(fields.Nested(AccountBackendsSchema), required=True)
    callers = fields.List(fields.Nested(CallerReadinessSchema), required=True)


EXAMPLE = {
    "accounts": [
        {
            "account": "default",
            "configured": "auto",
            "backends": ["review", "legacy"],
            "legacy_retired": False,
        }
    ],
    "callers": [
        {
            "caller": "shop",
            "submissions": 40,
            "ready_for_review": 31,
            "obstacles": [
                {"pointer": "/attachments", "code": "EVIDENCE_REQUIRED", "submissions": 9}
            ],
            "backends": [
                {"backend": "review", "submissions": 31},
                {"backend": "legacy", "submissions": 9},
            ],
        }
    ],
}


def _backends_of_account(name: str) -> dict[str, Any]:
    choice = gateway().accounts[name].verifications.choice
    since = choice.retired_since
    return {
        "account": name,
        "configured": gateway().settings.accounts[name].verification.backend,
        "backends": [backend.name for backend in choice.backends],
        "legacy_retired": since is not None,
        "legacy_retired_since": since,
    }


@blueprint.get("")
@requires("operations:read", about_customers=False)
@blueprint.doc(operationId="getMigration")
@blueprint.response(200, MigrationSchema(), example=EXAMPLE)
@blueprint.problems(IDENTITY_PROBLEMS)
def get_migration() -> dict[str, Any]:
    """Report how ready the callers are for the review backend.

    For each caller, the answer counts the submissions that the review backend would accept, and
    the rules of the review backend that the other submissions broke. Each process counts for
    itself, from its start; the answer is that of the process that received the request.
    """
    return {
        "accounts": [_backends_of_account(name) for name in gateway().accounts],
        "callers": gateway().migration.by_caller(),
    }
