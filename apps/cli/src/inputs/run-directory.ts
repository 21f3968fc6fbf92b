import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJson } from "@convkit/files";
import type { Plan } from "@convkit/trainer";
import { CliError } from "../terminal/usage-error.ts";

/** The parts of a run's `config.json` that other commands besides `train` read. */
export interface StoredRun {
  readonly name: string;
  readonly seed: number;
  readonly plan: Plan;
  readonly dataFrom?: string;
  readonly outside?: boolean;
  readonly classes?: readonly string[];
}

/** The configuration of the run in `folder`; undefined if the folder is not a run directory. */
export async function storedRun(folder: string): Promise<StoredRun | undefined> {
  const file = join(folder, "config.json");
  if (!existsSync(file)) return undefined;
  return (await readJsonObject(file, ["name", "plan"])) as unknown as StoredRun;
}

/** Reads the object in a JSON file; throws an error that names the file if it is damaged. */
export async function readJsonObject(file: string, keys: readonly string[]): Promise<Record<string, unknown>> {
  const value = await readJson(file);
  const missing = keys.filter((key) => !Object.hasOwn(Object(value), key));
  if (typeof value !== "object" || value === null || missing.length > 0)
    throw new CliError(`${file} is damaged: expected an object with ${keys.join(", ")}.`);
  return value as Record<string, unknown>;
}
