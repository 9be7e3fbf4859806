// Follows the events, and keeps the status of each customer: node events.js FILE
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Problem = components["schemas"]["Problem"];
interface Answered<T> {
  data?: T;
  error?: Problem;
}

const LONGEST_PAUSE = 60;
const file = process.argv[2] as string;
const client = createClient<paths>({
  baseUrl: process.env.GATEWAY,
  headers: { Authorization: `Bearer ${process.env.KEY}` },
});
const timeout = () => AbortSignal.timeout(30_000);

// Returns the answer of a call, or EVENTS_GONE. Repeats a call that may be repeated until then.
async function answered<T>(call: () => Promise<Answered<T>>): Promise<Answered<T>> {
  for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    let message = "";
    try {
      const answer = await call();
      const { error } = answer;
      if (!error || error.code === "EVENTS_GONE") return answer;
      message = `${error.code}: ${error.detail} (request ${error.request_id})`;
      if (error.retry !== "AFTER_DELAY") {
        console.error(message);
        process.exit(1);
      }
      pause = Math.max(pause, error.retry_after_s ?? 0);
    } catch (error) {
      message = `the gateway did not answer: ${(error as Error).name}`;
    }
    console.error(message);
    await setTimeout(pause * 1000);
  }
}

// Looks once at each customer: the customer and the status of its verification.
async function lookedAt(): Promise<[string, string][]> {
  const found: [string, string][] = [];
  let after: string | undefined;
  do {
    const query = { limit: 100, after };
    const { data } = await answered(() =>
      client.GET("/v1/customers", { params: { query }, signal: timeout() }),
    );
    for (const one of data?.items ?? []) found.push([one.customer_id, one.verification]);
    after = data?.next;
  } while (after);
  return found;
}

// Keeps what is known of customers, and the place in the feed, in one step: a file is replaced
// as a whole. Use a transaction of your database.
function keep(customers: [string, string][], next: string): void {
  for (const [customer, status] of customers) kept.customers[customer] = status;
  kept.next = next;
  writeFileSync(`${file}.new`, JSON.stringify(kept));
  renameSync(`${file}.new`, file);
  for (const [customer, status] of customers) console.log(`${customer}: ${status}`);
}

const kept: { customers: Record<string, string>; next: string } = existsSync(file)
  ? JSON.parse(readFileSync(file, "utf8"))
  : { customers: {}, next: "" };
// At the first start, begin with the oldest event that is kept.
if (!existsSync(file)) keep(await lookedAt(), "");
while (true) {
  const query = { after: kept.next || undefined, types: "VERIFICATION_ENDED" };
  const { data, error } = await answered(() =>
    client.GET("/v1/events", {
      params: { query, header: { Prefer: "wait=25" } },
      signal: timeout(),
    }),
  );
  if (data) {
    keep(
      data.items.map((event) => [event.customer_id ?? "", event.status ?? ""]),
      data.next,
    );
  } else if (error?.next) {
    keep(await lookedAt(), error.next); // events were dropped
  }
}
