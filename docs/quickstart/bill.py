"""Adds up a column of a bill for each customer: python bill.py MONTH COLUMN"""

import json
import os
import sys
import urllib.request
from collections import defaultdict
from decimal import Decimal, Inexact, getcontext
from http.client import HTTPException
from urllib.error import HTTPError

getcontext().prec = 60
getcontext().traps[Inexact] = True  # fail instead of rounding
month, column = sys.argv[1:]
request = urllib.request.Request(
    f"{os.environ['GATEWAY']}/v1/partner/bills/{month}/lines",
    headers={"Authorization": f"Bearer {os.environ['KEY']}", "Accept": "application/x-ndjson"},
)
sums, lines, complete = defaultdict(Decimal), 0, None
try:
    with urllib.request.urlopen(request, timeout=300) as answer:  # of the next bytes
        for text in answer:
            line = json.loads(text)
            if line.get("complete") is True:  # the last line; other values are texts
                complete = line["lines"]
            else:
                sums[line["customer_id"]] += Decimal(line[column])
                lines += 1
except HTTPError as error:
    problem = json.load(error)
    sys.exit(f"{problem['code']}: {problem['detail']} (request {problem['request_id']})")
except (HTTPException, OSError, json.JSONDecodeError) as error:
    sys.exit(f"the bill broke off: {type(error).__name__}")
if complete != lines:
    sys.exit("the bill broke off: its last line is missing")
for customer, amount in sorted(sums.items()):
    print(f"{customer}: {amount:f}")
