"""Verifies a customer: python quickstart.py CUSTOMER [ATTACHMENT...]"""

import os
import sys
import time
from uuid import uuid4

import httpx
from partner_gateway_client import AuthenticatedClient
from partner_gateway_client.api.submissions import submit_individual_verification
from partner_gateway_client.api.verification import get_verification
from partner_gateway_client.models import Individual, Problem

TRIES = 4


def with_retries(call):
    """Return the answer of a call; repeat the call if the problem allows it."""
    for attempt in range(1, TRIES + 1):
        pause = 2**attempt
        try:
            response = call()
        except httpx.TransportError as error:
            message = f"the gateway did not answer: {type(error).__name__}"
        else:
            answer = response.parsed
            if not isinstance(answer, Problem):
                return answer
            message = f"{answer.code}: {answer.detail} (request {answer.request_id})"
            if answer.retry not in ("AFTER_DELAY", "SAME_KEY"):
                break
            pause = answer.retry_after_s or pause
        if attempt < TRIES:
            time.sleep(pause)
    sys.exit(message)


customer, *attachments = sys.argv[1:]
person = {
    "full_name": "ZHANG SAN",
    "document": {"type": "PASSPORT", "number": "E1234567"},
    "partner_user_id": "shop-981",
}
if attachments:
    person["attachments"] = attachments

# One key for each submission. Store it with your order, so that a restart repeats the submission
# and does not submit twice.
key = str(uuid4())
with AuthenticatedClient(
    base_url=os.environ["GATEWAY"], token=os.environ["KEY"], timeout=httpx.Timeout(30)
) as client:
    answer = with_retries(
        lambda: submit_individual_verification.sync_detailed(
            customer, client=client, body=Individual.from_dict(person), idempotency_key=key
        )
    )
    if not answer.final:  # a person reviews it; the review can take longer than this wait
        answer = with_retries(
            lambda: get_verification.sync_detailed(customer, client=client, prefer="wait=25")
        )
print(f"{customer}: {answer.status}" + (f": {answer.rejection.reason}" if answer.rejection else ""))
