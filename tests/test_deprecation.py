"""Operations of our own that will end: what their callers are told, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import fields
from openapi_spec_validator import validate

from app.authentication import requires
from app.deprecation import deprecated
from app.errors import ErrorCode, GatewayError
from app.fields import ResponseSchema
from app.problems import ProblemApi, ResourceBlueprint
from tests.gateway import bearer, check_problem

SINCE = datetime(2026, 12, 1, tzinfo=UTC)
SUNSET = datetime(2027, 6, 30, 23, tzinfo=timezone(timedelta(hours=1)))
LINK = "https://example.com/partner-gateway/moons"
TOLD = {
    "Deprecation": "@1796083200",
    "Sunset": "Wed, 30 Jun 2027 22:00:00 GMT",
    "Link": f'<{LINK}>; rel="deprecation"',
}


class MoonSchema(ResponseSchema):
    """An answer of the operations that only these tests know."""

    phase = fields.Float(required=True)


def with_moons(app: Flask) -> FlaskClient:
    """The gateway with two more operations, one of which will end."""
    blueprint = ResourceBlueprint("moons", __name__, url_prefix="/v1/moons")

    @blueprint.get("/old")
    @deprecated(SINCE, SUNSET, LINK)
    @requires("verifications:read")
    @blueprint.response(200, MoonSchema())
    @blueprint.problems(ErrorCode.UNAUTHENTICATED, ErrorCode.OVERLOADED)
    def old() -> dict[str, Any]:
        """Tell the phase of the moon."""
        return {"phase": 0.5}

    @blueprint.put("/old")
    @deprecated(SINCE, SUNSET, LINK)
    @requires("verifications:read")
    @blueprint.response(200, MoonSchema())
    def turn() -> None:
        """Turn the moon."""
        raise GatewayError(ErrorCode.OVERLOADED, retry_after=2)

    @blueprint.get("/new")
    @requires("verifications:read")
    @blueprint.response(200, MoonSchema())
    def new() -> dict[str, Any]:
        """Tell the phase of the moon, better."""
        return {"phase": 0.25}

    api: ProblemApi = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    api.register_blueprint(blueprint)
    return app.test_client()


def test_every_answer_of_a_deprecated_operation_tells_so(app: Flask) -> None:
    client = with_moons(app)
    answer = client.get("/v1/moons/old", headers=bearer())
    refused = client.get("/v1/moons/old")
    failed = client.put("/v1/moons/old", headers=bearer())
    assert answer.get_json() == {"phase": 0.5}
    check_problem(refused, ErrorCode.UNAUTHENTICATED)
    check_problem(failed, ErrorCode.OVERLOADED)
    assert failed.headers["Retry-After"] == "2"
    for response in (answer, refused, failed):
        assert {name: response.headers.get(name) for name in TOLD} == TOLD


def test_the_headers_are_those_of_the_standards(app: Flask) -> None:
    headers = with_moons(app).get("/v1/moons/old", headers=bearer()).headers
    assert datetime.fromtimestamp(int(headers["Deprecation"][1:]), UTC) == SINCE
    assert parsedate_to_datetime(headers["Sunset"]) == SUNSET


def test_no_other_operation_tells_so(app: Flask) -> None:
    client = with_moons(app)
    for path in ("/v1/moons/new", "/v1/capabilities", "/v1/errors", "/livez", "/nowhere"):
        response = client.get(path, headers=bearer())
        assert "Deprecation" not in response.headers
        assert "Sunset" not in response.headers
        assert "deprecation" not in response.headers.get("Link", "")


def test_the_contract_tells_it_too(app: Flask) -> None:
    contract = with_moons(app).get("/openapi.json").get_json()
    validate(contract)
    old, new = (contract["paths"][path]["get"] for path in ("/v1/moons/old", "/v1/moons/new"))
    assert old["deprecated"] is True
    assert "deprecated" not in new
    for status in ("200", "401", "503"):
        assert old["responses"][status]["headers"].keys() >= TOLD.keys()
        assert old["responses"][status]["content"]
    assert "headers" not in new["responses"]["200"]


@pytest.mark.parametrize(
    ("since", "sunset"),
    [(SUNSET, SINCE), (SINCE.replace(tzinfo=None), SUNSET), (SINCE, SUNSET.replace(tzinfo=None))],
)
def test_times_that_make_no_sense_stop_the_start(since: datetime, sunset: datetime) -> None:
    with pytest.raises(ValueError, match="timezone"):
        deprecated(since, sunset, LINK)
