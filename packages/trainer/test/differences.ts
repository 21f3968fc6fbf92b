import { appendFileSync } from "node:fs";

/** A largest difference from a peer, for the tables of docs/guides/training.md. */
export interface Difference {
  readonly table: "losses" | "metrics" | "optimizers";
  readonly name: string;
  /** The engine, and whether it ran op by op. */
  readonly way: string;
  readonly largest: number;
}

/** Appends a difference to the file that `CONVKIT_DIFFERENCES` names, as `tools/differences.mjs` does. */
export function noteDifference(difference: Difference): void {
  const file = process.env["CONVKIT_DIFFERENCES"];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(difference)}\n`);
}

/** The column of the tables: the engine, and how it computes. */
export function wayOf(engine: string, eager: boolean): string {
  return engine === "wasm" ? "wasm" : `${engine}, ${eager ? "op by op" : "compiled"}`;
}
