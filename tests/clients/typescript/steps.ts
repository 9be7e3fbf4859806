// What every driver reads and writes: steps in, what came of them out.
import { readFileSync } from "node:fs";

export interface Step {
  do: "submit" | "check" | "read" | "upload";
  customer: string;
  full_name: string;
  number: string;
  name: string;
  content: string;
}

export type Outcome = Record<string, unknown>;

export const [url, key] = process.argv.slice(2) as [string, string];

export const content = (step: Step): Blob => new Blob([Uint8Array.from(Buffer.from(step.content, "hex"))]);

export async function drive(outcome: (step: Step) => Promise<Outcome>): Promise<void> {
  for (const step of JSON.parse(readFileSync(0, "utf8")) as Step[]) {
    console.log(JSON.stringify(await outcome(step)));
  }
}
