"""Creates a customer that may buy: python quickstart.py YOUR_ID [PICTURE...]"""

import os
import sys
import time

import httpx
from partner_gateway_client import AuthenticatedClient
from partner_gateway_client.api.attachments import upload_attachment
from partner_gateway_client.api.budgets import set_budget
from partner_gateway_client.api.customers import create_customer, get_customer
from partner_gateway_client.api.submissions import submit_individual_verification
from partner_gateway_client.api.verification import get_verification
from partner_gateway_client.models import CreateCustomer, Individual, Problem, SetBudget
from partner_gateway_client.types import File

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


def upload(customer, name):
    """Return the value to put into `attachments`."""
    with open(name, "rb") as picture:
        body = File(payload=picture.read())
    return with_retries(
        lambda: upload_attachment.sync_detailed(customer, name, client=client, body=body)
    ).attachment


user, *pictures = sys.argv[1:]
with AuthenticatedClient(
    base_url=os.environ["GATEWAY"], token=os.environ["KEY"], timeout=httpx.Timeout(30)
) as client:
    # The keys are made of your own id, so that a restart creates no second customer.
    new = CreateCustomer(partner_user_id=user, country="SG")
    created = with_retries(
        lambda: create_customer.sync_detailed(
            client=client, body=new, idempotency_key=f"create-{user}"
        )
    )
    customer = created.customer_id
    if created.status == "ASSOCIATING":  # Huawei lists the customer when it is associated
        with_retries(lambda: get_customer.sync_detailed(customer, client=client, prefer="wait=25"))
    # A new customer is frozen and has no budget.
    budget = SetBudget(amount="500.00", unfreeze=True)
    with_retries(lambda: set_budget.sync_detailed(customer, client=client, body=budget))

    person = {"full_name": "ZHANG SAN", "document": {"type": "PASSPORT", "number": "E1234567"}}
    if pictures:
        person["attachments"] = [upload(customer, name) for name in pictures]
    answer = with_retries(
        lambda: submit_individual_verification.sync_detailed(
            customer,
            client=client,
            body=Individual.from_dict({**person, "partner_user_id": user}),
            idempotency_key=f"verify-{user}",
        )
    )
    if not answer.final:  # a person reviews it; the review can take longer than this wait
        answer = with_retries(
            lambda: get_verification.sync_detailed(customer, client=client, prefer="wait=25")
        )
    state = with_retries(lambda: get_customer.sync_detailed(customer, client=client))
print(f"{user}: {answer.status}" + (f": {answer.rejection.reason}" if answer.rejection else ""))
print(f"still needs {', '.join(state.requirements)}" if state.requirements else "may buy")
