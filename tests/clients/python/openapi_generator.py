"""Drives the Python client that openapi-generator generates: steps in, what came of them out."""

from __future__ import annotations

import json
import sys
from typing import Any

import openapi_client as api  # type: ignore[import-not-found]


def call(client: api.ApiClient, step: dict[str, Any]) -> Any:
    if step["do"] == "upload":
        return api.AttachmentsApi(client).upload_attachment_with_http_info(
            step["customer"], step["name"], bytes.fromhex(step["content"])
        )
    if step["do"] == "read":
        return api.VerificationApi(client).get_verification_with_http_info(
            step["customer"], prefer="wait=20"
        )
    person = api.Individual(
        full_name=step["full_name"],
        document=api.IndividualDocument(number=step["number"], type="PASSPORT"),
        partner_user_id="shop-1",
        attachments=[f"{step['customer']}/{number}.jpg" for number in (1, 2)],
    )
    return api.SubmissionsApi(client).submit_individual_verification_with_http_info(
        step["customer"], person, prefer="wait=5", validate_only=step["do"] == "check"
    )


def outcome(client: api.ApiClient, step: dict[str, Any]) -> dict[str, Any]:
    try:
        response = call(client, step)
    except api.ApiException as error:
        problem = error.data
        return {
            "http": error.status,
            "retry_after": error.headers.get("Retry-After"),
            "code": problem.code,
            "retry": problem.retry,
            "fault": problem.fault,
            "pointers": [one.pointer for one in problem.errors or []],
            "upstream_code": problem.upstream.code if problem.upstream else None,
            "retry_after_s": problem.retry_after_s,
            "text": str(error),
        }
    seen = {
        "http": response.status_code,
        "location": response.headers.get("Location"),
        "retry_after": response.headers.get("Retry-After"),
    }
    answer = response.data
    if isinstance(answer, api.Attachment):
        return {**seen, "attachment": answer.attachment}
    return {
        **seen,
        "status": answer.status,
        "final": answer.final,
        "year": answer.checked_at.year,
        "reason": answer.rejection.reason if answer.rejection else None,
        "accepted": answer.accepted,
        "takers": [one.backend for one in answer.backends or [] if one.accepted],
    }


def mistake(client: api.ApiClient, body: dict[str, Any]) -> dict[str, Any]:
    """What the client says of a body that its user has built wrongly."""
    texts = []
    submissions = api.SubmissionsApi(client)
    for build in (
        api.Individual.from_dict,
        lambda members: api.Individual(**members),
        lambda members: submissions.submit_individual_verification("customer", members),
    ):
        try:
            build(body)
        except Exception as error:
            texts.append(f"{type(error).__name__}: {error}")
    return {"texts": texts}


def main() -> None:
    url, key = sys.argv[1:]
    with api.ApiClient(api.Configuration(host=url, access_token=key)) as client:
        for step in json.load(sys.stdin):
            wrong = step["do"] == "mistake"
            done = mistake(client, step["body"]) if wrong else outcome(client, step)
            sys.stdout.write(json.dumps(done) + "\n")


main()
