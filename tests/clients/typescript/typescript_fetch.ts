// Drives the client that openapi-generator's typescript-fetch generates.
import {
  AttachmentsApi,
  BillLinesApi,
  BudgetsApi,
  Configuration,
  CustomersApi,
  FreezesApi,
  OrdersApi,
  ProblemFromJSON,
  ResponseError,
  SubmissionsApi,
  VerificationApi,
} from "./typescript-fetch/index.js";
import type { CreatedCustomer, Verification } from "./typescript-fetch/index.js";
import { content, drive, key, lines, url } from "./steps.js";
import type { Outcome, Step } from "./steps.js";

const configuration = new Configuration({ basePath: url, accessToken: key });
const attachments = new AttachmentsApi(configuration);
const bills = new BillLinesApi(configuration);
const budgets = new BudgetsApi(configuration);
const customers = new CustomersApi(configuration);
const freezes = new FreezesApi(configuration);
const orders = new OrdersApi(configuration);
const submissions = new SubmissionsApi(configuration);
const verification = new VerificationApi(configuration);

const heard = (response: Response): Outcome => ({
  http: response.status,
  location: response.headers.get("Location"),
  retry_after: response.headers.get("Retry-After"),
});

async function onboarded({ customerId, status }: CreatedCustomer): Promise<Outcome> {
  const prefer = status === "ASSOCIATING" ? "wait=20" : undefined;
  const created = await customers.getCustomer({ customerId, prefer });
  const setBudget = { amount: "500.00", unfreeze: true };
  const { amount } = await budgets.setBudget({ customerId, setBudget });
  const open = await customers.getCustomer({ customerId });
  const { frozen } = await freezes.freezeCustomer({ customerId, freeze: { reason: "not paid" } });
  return { said: [status, created.requirements, amount, open.requirements, frozen] };
}

async function call(step: Step): Promise<Outcome> {
  const customerId = step.customer;
  if (step.do === "upload") {
    const { raw, value } = await attachments
      .uploadAttachmentRaw({ customerId, name: step.name, body: content(step) })
      .then(async (answer) => ({ raw: answer.raw, value: await answer.value() }));
    return { ...heard(raw), attachment: value.attachment };
  }
  if (step.do === "onboard") {
    const createCustomer = { partnerUserId: step.customer, country: "SG" };
    const created = await customers.createCustomerRaw({ idempotencyKey: step.key, createCustomer });
    return { ...heard(created.raw), ...(await onboarded(await created.value())) };
  }
  if (step.do === "orders") {
    const page = await orders.listOrdersRaw({ customerId, limit: 2 });
    const { items, next, total } = await page.value();
    return { ...heard(page.raw), orders: items.map((one) => one.orderId), next, total };
  }
  if (step.do === "lines") {
    const { raw } = await bills.getPartnerBillLinesRaw({ month: step.month, customerId });
    return { ...heard(raw), ...(await lines(raw.body)) };
  }
  const answer =
    step.do === "read"
      ? await verification.getVerificationRaw({ customerId, prefer: "wait=20" })
      : await submissions.submitIndividualVerificationRaw({
          customerId,
          prefer: "wait=5",
          validateOnly: step.do === "check",
          individual: {
            fullName: step.full_name,
            document: { type: "PASSPORT", number: step.number },
            partnerUserId: "shop-1",
            attachments: [`${customerId}/1.jpg`, `${customerId}/2.jpg`],
          },
        });
  const stands: Verification = await answer.value();
  return {
    ...heard(answer.raw),
    status: stands.status,
    final: stands._final,
    year: stands.checkedAt.getUTCFullYear(),
    reason: stands.rejection?.reason,
    accepted: stands.accepted,
    takers: stands.backends?.filter((one) => one.accepted).map((one) => one.backend),
  };
}

await drive(async (step) => {
  try {
    return await call(step);
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    const problem = ProblemFromJSON(await error.response.json());
    return {
      ...heard(error.response),
      code: problem.code,
      retry: problem.retry,
      fault: problem.fault,
      pointers: problem.errors?.map((one) => one.pointer),
      upstream_code: problem.upstream?.code,
      retry_after_s: problem.retryAfterS,
      text: `${error} ${error.stack}`,
    };
  }
});
