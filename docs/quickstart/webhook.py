"""Receives webhooks, and keeps the status of each customer: python webhook.py PORT DATABASE"""

import os
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            event = webhook.verify(body, dict(self.headers))
        except WebhookVerificationError:
            status = 401
        else:
            keep(event["data"])
            status = 204
        self.send_response(status)
        self.end_headers()


def keep(event):
    """Keep an event's id and what it changes in one transaction, so that a repeat does nothing."""
    with database:
        new = database.execute("INSERT OR IGNORE INTO events VALUES (?)", (event["id"],)).rowcount
        if new and event["type"] == "VERIFICATION_ENDED":
            one = (event["customer_id"], event["status"])
            database.execute("INSERT OR REPLACE INTO customers VALUES (?, ?)", one)
            print(f"{one[0]}: {one[1]}")


database = sqlite3.connect(sys.argv[2])
database.execute("CREATE TABLE IF NOT EXISTS customers (id TEXT PRIMARY KEY, status TEXT)")
database.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY)")
webhook = Webhook(os.environ["SECRET"])
HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
