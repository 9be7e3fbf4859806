"""How far the callers are from the day on which Huawei's legacy API is gone."""

from typing import Any

from marshmallow import fields

from app.api.authentication import requires
from app.api.extensions import gateway
from app.api.problems import IDENTITY_PROBLEMS, ResourceBlueprint
from app.fields import ResponseSchema, UtcTime

blueprint = ResourceBlueprint(
    "migration", __name__, url_prefix="/v1/migration", description="Readiness for the switch-off"
)


class ObstacleSchema(ResponseSchema):
    """A rule of the review backend that submissions broke."""

    pointer = fields.String(required=True)
    code = fields.String(required=True)
    submissions = fields.Integer(required=True)


class BackendCountSchema(ResponseSchema):
    """How many submissions a backend was chosen for."""

    backend = fields.String(required=True)
    submissions = fields.Integer(required=True)


class CallerReadinessSchema(ResponseSchema):
    """What one caller submitted since the process started."""

    caller = fields.String(required=True)
    submissions = fields.Integer(required=True)
    ready_for_review = fields.Integer(
        required=True, metadata={"description": "how many the review backend would have taken"}
    )
    obstacles = fields.List(fields.Nested(ObstacleSchema), required=True)
    backends = fields.List(fields.Nested(BackendCountSchema), required=True)


class AccountBackendsSchema(ResponseSchema):
    """The backends of one account."""

    account = fields.String(required=True)
    configured = fields.String(required=True)
    backends = fields.List(fields.String(), required=True)
    legacy_retired = fields.Boolean(
        required=True,
        metadata={
            "description": "with `auto`: whether Huawei has said it often enough to be believed; "
            "false with `legacy` and `review`, where nothing is remembered"
        },
    )
    legacy_retired_since = UtcTime(metadata={"description": "when Huawei first said so"})


class MigrationSchema(ResponseSchema):
    """Readiness for the switch-off."""

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


def _account(name: str) -> dict[str, Any]:
    choice = gateway().verifications[name].choice
    since = choice.retired_since
    return {
        "account": name,
        "configured": gateway().settings.accounts[name].verification.backend,
        "backends": [backend.name for backend in choice.backends],
        "legacy_retired": since is not None,
        "legacy_retired_since": since,
    }


@blueprint.get("")
@requires("operations:read")
@blueprint.doc(operationId="getMigration")
@blueprint.response(200, MigrationSchema(), example=EXAMPLE)
@blueprint.problems(IDENTITY_PROBLEMS)
def get_migration() -> dict[str, Any]:
    """Tell how ready the callers are for the review backend.

    For each caller: how many of its submissions the review backend would have taken, and which
    of its rules the others broke. Counted by the answering process since it started.
    """
    return {
        "accounts": [_account(name) for name in gateway().verifications],
        "callers": gateway().migration.by_caller(),
    }
