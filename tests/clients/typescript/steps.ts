// What every driver reads and writes: steps in, what came of them out.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream as NodeStream } from "node:stream/web";

export interface Step {
  do: "submit" | "check" | "read" | "upload" | "onboard" | "orders" | "lines";
  customer: string;
  full_name: string;
  number: string;
  name: string;
  content: string;
  key: string;
  month: string;
}

export type Outcome = Record<string, unknown>;

export const [url, key] = process.argv.slice(2) as [string, string];

export const content = (step: Step): Blob => new Blob([Uint8Array.from(Buffer.from(step.content, "hex"))]);

export async function lines(stream: ReadableStream<Uint8Array> | null): Promise<Outcome> {
  let [count, first, last] = [0, "", ""];
  for await (last of createInterface({ input: Readable.fromWeb(stream as NodeStream<Uint8Array>) })) {
    first ||= last;
    count += 1;
  }
  return { count, first, last };
}

export async function drive(outcome: (step: Step) => Promise<Outcome>): Promise<void> {
  for (const step of JSON.parse(readFileSync(0, "utf8")) as Step[]) {
    console.log(JSON.stringify(await outcome(step)));
  }
}
