// Creates a customer that may buy: node quickstart.js YOUR_ID [PICTURE...]
import { readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Problem = components["schemas"]["Problem"];
interface Answered<T> {
  data?: T;
  error?: Problem;
}

const TRIES = 4;
const [user, ...pictures] = process.argv.slice(2) as [string, ...string[]];
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

// The keys are made of your own id, so that a restart creates no second customer.
const created = await withRetries(() =>
  client.POST("/v1/customers", {
    params: { header: { "Idempotency-Key": `create-${user}` } },
    body: { partner_user_id: user, country: "SG" },
    signal: timeout(),
  }),
);
const customer = created.customer_id;

function read(prefer?: string) {
  return withRetries(() =>
    client.GET("/v1/customers/{customer_id}", {
      params: { path: { customer_id: customer }, header: { Prefer: prefer } },
      signal: timeout(),
    }),
  );
}

// Huawei lists the customer when it is associated.
if (created.status === "ASSOCIATING") await read("wait=25");
// A new customer is frozen and has no budget.
await withRetries(() =>
  client.PUT("/v1/customers/{customer_id}/budget", {
    params: { path: { customer_id: customer } },
    body: { amount: "500.00", unfreeze: true },
    signal: timeout(),
  }),
);

const attachments: string[] = [];
for (const name of pictures) {
  const picture = await readFile(name);
  const stored = await withRetries(() =>
    client.PUT("/v1/customers/{customer_id}/attachments/{name}", {
      params: { path: { customer_id: customer, name } },
      body: picture as unknown as string,
      bodySerializer: (content) => content,
      headers: { "Content-Type": "application/octet-stream" },
      signal: timeout(),
    }),
  );
  attachments.push(stored.attachment);
}
let answer = await withRetries(() =>
  client.POST("/v1/customers/{customer_id}/verifications/individual", {
    params: { path: { customer_id: customer }, header: { "Idempotency-Key": `verify-${user}` } },
    body: {
      full_name: "ZHANG SAN",
      document: { type: "PASSPORT", number: "E1234567" },
      partner_user_id: user,
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
const { requirements } = await read();
console.log(`${user}: ${answer.status}${answer.rejection ? `: ${answer.rejection.reason}` : ""}`);
console.log(requirements.length > 0 ? `still needs ${requirements.join(", ")}` : "may buy");
