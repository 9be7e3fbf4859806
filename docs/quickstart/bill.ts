// Adds up a column of a bill for each customer: node bill.js MONTH COLUMN
import { createInterface } from "node:readline/promises";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";

const DIGITS = 8; // decimals of an amount; a sum is a whole number of the last one
const [month, column] = process.argv.slice(2) as [string, string];

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

function units(text: string): bigint {
  const found = /^(-?)(\d+)(?:\.(\d{1,8}))?$/.exec(text) ?? fail(`no amount in ${column}`);
  return BigInt(`${found[1]}${found[2]}${(found[3] ?? "").padEnd(DIGITS, "0")}`);
}

function decimal(number: bigint): string {
  const [sign, size] = number < 0n ? ["-", -number] : ["", number];
  const digits = String(size).padStart(DIGITS + 1, "0");
  return `${sign}${digits.slice(0, -DIGITS)}.${digits.slice(-DIGITS)}`;
}

const answer = await fetch(`${process.env.GATEWAY}/v1/partner/bills/${month}/lines`, {
  headers: { Authorization: `Bearer ${process.env.KEY}` },
});
if (!answer.ok) fail(await answer.text());
const body = Readable.fromWeb(answer.body as ReadableStream);
body.on("error", (error) => fail(`the bill broke off: ${error.message}`));
const sums = new Map<string, bigint>();
let [lines, complete] = [0, -1];
for await (const text of createInterface({ input: body })) {
  const line = JSON.parse(text);
  if (line.complete === true) {
    complete = line.lines; // the last line; other values are texts
  } else {
    sums.set(line.customer_id, (sums.get(line.customer_id) ?? 0n) + units(line[column]));
    lines += 1;
  }
}
if (complete !== lines) fail("the bill broke off");
for (const [customer, sum] of [...sums].sort()) console.log(`${customer}: ${decimal(sum)}`);
