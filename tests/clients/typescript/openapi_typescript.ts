// Drives openapi-fetch with the types that openapi-typescript generates.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";
import { content, drive, key, lines, url } from "./steps.js";
import type { Outcome, Step } from "./steps.js";

type Problem = components["schemas"]["Problem"];
type Verification = components["schemas"]["Verification"];

const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });

const stands = (answer: Verification): Outcome => ({
  status: answer.status,
  final: answer.final,
  year: new Date(answer.checked_at).getUTCFullYear(),
  reason: answer.rejection?.reason,
  accepted: answer.accepted,
  takers: answer.backends?.filter((one) => one.accepted).map((one) => one.backend),
});

const refused = (problem: Problem): Outcome => ({
  code: problem.code,
  retry: problem.retry,
  fault: problem.fault,
  pointers: problem.errors?.map((one) => one.pointer),
  upstream_code: problem.upstream?.code,
  retry_after_s: problem.retry_after_s,
  text: `${problem.title} ${problem.detail}`,
});

const heard = (response: Response): Outcome => ({
  http: response.status,
  location: response.headers.get("Location"),
  retry_after: response.headers.get("Retry-After"),
});

async function upload(step: Step): Promise<Outcome> {
  const { data, error, response } = await client.PUT(
    "/v1/customers/{customer_id}/attachments/{name}",
    {
      params: { path: { customer_id: step.customer, name: step.name } },
      headers: { "Content-Type": "application/octet-stream" },
      body: "",
      bodySerializer: () => content(step),
    },
  );
  return { ...heard(response), ...(error ? refused(error) : { attachment: data.attachment }) };
}

async function read(step: Step): Promise<Outcome> {
  const { data, error, response } = await client.GET("/v1/customers/{customer_id}/verification", {
    params: { path: { customer_id: step.customer }, header: { Prefer: "wait=20" } },
  });
  return { ...heard(response), ...(error ? refused(error) : stands(data)) };
}

async function submit(step: Step): Promise<Outcome> {
  const { data, error, response } = await client.POST(
    "/v1/customers/{customer_id}/verifications/individual",
    {
      params: {
        path: { customer_id: step.customer },
        header: { Prefer: "wait=5" },
        query: { validate_only: step.do === "check" },
      },
      body: {
        full_name: step.full_name,
        document: { type: "PASSPORT", number: step.number },
        partner_user_id: "shop-1",
        attachments: [`${step.customer}/1.jpg`, `${step.customer}/2.jpg`],
      },
    },
  );
  return { ...heard(response), ...(error ? refused(error) : stands(data)) };
}

async function onboard(step: Step): Promise<Outcome> {
  const { data, error, response } = await client.POST("/v1/customers", {
    params: { header: { "Idempotency-Key": step.key } },
    body: { partner_user_id: step.customer, country: "SG" },
  });
  if (error) return { ...heard(response), ...refused(error) };
  const path = { customer_id: data.customer_id };
  const header = data.status === "ASSOCIATING" ? { Prefer: "wait=20" } : {};
  const created = await client.GET("/v1/customers/{customer_id}", { params: { path, header } });
  const budget = await client.PUT("/v1/customers/{customer_id}/budget", {
    params: { path },
    body: { amount: "500.00", unfreeze: true },
  });
  const open = await client.GET("/v1/customers/{customer_id}", { params: { path } });
  const freeze = await client.POST("/v1/customers/{customer_id}/freeze", {
    params: { path },
    body: { reason: "not paid" },
  });
  const needs = [created, open].map((answer) => answer.data?.requirements);
  const said = [data.status, needs[0], budget.data?.amount, needs[1], freeze.data?.frozen];
  return { ...heard(response), said };
}

async function orders(step: Step): Promise<Outcome> {
  const { data, error, response } = await client.GET("/v1/orders", {
    params: { query: { customer_id: step.customer, limit: 2 } },
  });
  if (error) return { ...heard(response), ...refused(error) };
  const { items, next, total } = data;
  return { ...heard(response), orders: items.map((one) => one.order_id), next, total };
}

async function bill(step: Step): Promise<Outcome> {
  const { data, error, response } = await client.GET("/v1/partner/bills/{month}/lines", {
    params: { path: { month: step.month }, query: { customer_id: step.customer } },
    parseAs: "stream",
  });
  return { ...heard(response), ...(error ? refused(error) : await lines(data)) };
}

const calls = { submit, check: submit, read, upload, onboard, orders, lines: bill };

await drive((step) => calls[step.do](step));
