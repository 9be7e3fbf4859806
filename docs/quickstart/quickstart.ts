// Verifies a customer: node quickstart.js CUSTOMER [ATTACHMENT...]
import { setTimeout } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Problem = components["schemas"]["Problem"];
interface Answered<T> {
  data?: T;
  error?: Problem;
}

const TRIES = 4;
const [customer, ...attachments] = process.argv.slice(2) as [string, ...string[]];
const client = createClient<paths>({
  baseUrl: process.env.GATEWAY,
  headers: { Authorization: `Bearer ${process.env.KEY}` },
});
const timeout = () => AbortSignal.timeout(30_000);

// Returns the answer of a call; repeats the call if the problem allows it.
async function withRetries<T>(call: () => Promise<Answered<T>>): Promise<T> {
  let message = "";
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    let pause = 2 ** attempt;
    try {
      const { data, error } = await call();
      if (data) return data;
      if (error) {
        message = `${error.code}: ${error.detail} (request ${error.request_id})`;
        if (!["AFTER_DELAY", "SAME_KEY"].includes(error.retry)) break;
        pause = error.retry_after_s ?? pause;
      }
    } catch (error) {
      message = `the gateway did not answer: ${(error as Error).name}`;
    }
    if (attempt < TRIES) await setTimeout(pause * 1000);
  }
  console.error(message);
  process.exit(1);
}

// One key for each submission. Store it with your order, so that a restart repeats the submission
// and does not submit twice.
const key = crypto.randomUUID();
let answer = await withRetries(() =>
  client.POST("/v1/customers/{customer_id}/verifications/individual", {
    params: { path: { customer_id: customer }, header: { "Idempotency-Key": key } },
    body: {
      full_name: "ZHANG SAN",
      document: { type: "PASSPORT", number: "E1234567" },
      partner_user_id: "shop-981",
      ...(attachments.length > 0 && { attachments }),
    },
    signal: timeout(),
  }),
);
if (!answer.final) {
  // A person reviews it; the review can take longer than this wait.
  answer = await withRetries(() =>
    client.GET("/v1/customers/{customer_id}/verification", {
      params: { path: { customer_id: customer }, header: { Prefer: "wait=25" } },
      signal: timeout(),
    }),
  );
}
console.log(`${customer}: ${answer.status}${answer.rejection ? `: ${answer.rejection.reason}` : ""}`);
