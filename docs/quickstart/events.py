"""Follows the events, and keeps the status of each customer: python events.py DATABASE"""

import os
import sqlite3
import sys
import time

import httpx
from partner_gateway_client import AuthenticatedClient
from partner_gateway_client.api.customers import list_customers
from partner_gateway_client.api.events import list_events
from partner_gateway_client.models import Problem
from partner_gateway_client.types import UNSET

LONGEST_PAUSE = 60


def answered(operation, **asked):
    """Return the answer of an operation, or EVENTS_GONE; repeat what may be repeated."""
    pause = 1
    while True:
        try:
            answer = operation.sync_detailed(client=client, **asked).parsed
        except httpx.TransportError as error:
            message = f"the gateway did not answer: {type(error).__name__}"
        else:
            if not isinstance(answer, Problem) or answer.code == "EVENTS_GONE":
                return answer
            message = f"{answer.code}: {answer.detail} (request {answer.request_id})"
            if answer.retry != "AFTER_DELAY":
                sys.exit(message)
            pause = max(pause, answer.retry_after_s or 0)
        print(message, file=sys.stderr)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def looked_at():
    """Look once at each customer: the customer and the status of its verification."""
    found, after = [], UNSET
    while True:
        page = answered(list_customers, limit=100, after=after)
        found += [(one.customer_id, one.verification) for one in page.items]
        if not page.next_:
            return found
        after = page.next_


def keep(customers, next_place):
    """Keep what is known of customers, and the place in the feed, in one transaction."""
    with database:
        database.executemany("INSERT OR REPLACE INTO customers VALUES (?, ?)", customers)
        database.execute("INSERT OR REPLACE INTO place VALUES (1, ?)", (next_place,))
    for customer, status in customers:
        print(f"{customer}: {status}")


database = sqlite3.connect(sys.argv[1])
database.execute("CREATE TABLE IF NOT EXISTS customers (id TEXT PRIMARY KEY, status TEXT)")
database.execute("CREATE TABLE IF NOT EXISTS place (id INTEGER PRIMARY KEY, next TEXT)")
found = database.execute("SELECT next FROM place").fetchone()
with AuthenticatedClient(
    base_url=os.environ["GATEWAY"], token=os.environ["KEY"], timeout=httpx.Timeout(30)
) as client:
    if found is None:
        found = ("",)  # the first start: begin with the oldest event that is kept
        keep(looked_at(), *found)
    (place,) = found
    while True:
        answer = answered(
            list_events, after=place or UNSET, types="VERIFICATION_ENDED", prefer="wait=25"
        )
        place = answer.next_
        if isinstance(answer, Problem):  # events were dropped
            keep(looked_at(), place)
        else:
            keep([(event.customer_id, event.status) for event in answer.items], place)
