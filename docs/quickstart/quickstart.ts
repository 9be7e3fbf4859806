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
const within = () => AbortSignal.timeout(30_000);

// The answer of a call, which is repeated where the problem says that it may be.
async function patiently<T>(call: () => Promise<Answered<T>>): Promise<T> {
  let told = "";
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    let pause = 2 ** attempt;
    try {
      const { data, error } = await call();
      if (data) return data;
      if (error) {
        told = `${error.code}: ${error.detail} (request ${error.request_id})`;
        if (!["AFTER_DELAY", "SAME_KEY"].includes(error.retry)) break;
        pause = error.retry_after_s ?? pause;
      }
    } catch (error) {
      told = `the gateway did not answer: ${(error as Error).name}`;
    }
    if (attempt < TRIES) await setTimeout(pause * 1000);
  }
  console.error(told);
  process.exit(1);
}

// One submission, one key: store it with your order, so that a restart repeats and does not
// submit anew.
const key = crypto.randomUUID();
let answer = await patiently(() =>
  client.POST("/v1/customers/{customer_id}/verifications/individual", {
    params: { path: { customer_id: customer }, header: { "Idempotency-Key": key } },
    body: {
      full_name: "ZHANG SAN",
      document: { type: "PASSPORT", number: "E1234567" },
      partner_user_id: "shop-981",
      ...(attachments.length > 0 && { attachments }),
    },
    signal: within(),
  }),
);
if (!answer.final) {
  // A person reviews it, which can take longer than this waits.
  answer = await patiently(() =>
    client.GET("/v1/customers/{customer_id}/verification", {
      params: { path: { customer_id: customer }, header: { Prefer: "wait=25" } },
      signal: within(),
    }),
  );
}
console.log(`${customer}: ${answer.status}${answer.rejection ? `: ${answer.rejection.reason}` : ""}`);
