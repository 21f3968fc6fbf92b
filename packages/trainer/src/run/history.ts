import { readFile } from "node:fs/promises";
import { shown } from "@convkit/errors";
import { writeFileAtomic } from "@convkit/files";
import { TrainerError, unreadable } from "../trainer-error.ts";

/** One row of `history.csv`: an epoch. `seconds` is the epoch's wall time, validation included. */
export interface EpochLogs {
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly valLoss?: number;
  readonly valAccuracy?: number;
  /** The learning rate of the epoch's last step. */
  readonly lr: number;
  readonly seconds: number;
}

const columns = [
  ["epoch", "epoch"],
  ["loss", "loss"],
  ["accuracy", "accuracy"],
  ["val_loss", "valLoss"],
  ["val_accuracy", "valAccuracy"],
  ["lr", "lr"],
  ["seconds", "seconds"],
] as const satisfies readonly (readonly [string, keyof EpochLogs])[];

const header = columns.map(([name]) => name).join(",");

/** The rows as CSV text; a missing validation value is an empty cell. */
export function formatHistory(rows: readonly EpochLogs[]): string {
  const lines = rows.map((row) => columns.map(([, key]) => row[key] ?? "").join(","));
  return `${[header, ...lines].join("\n")}\n`;
}

/** The inverse of `formatHistory`; throws `TrainerError` with the invalid line. */
export function parseHistory(text: string, where = "history.csv"): EpochLogs[] {
  const [first, ...lines] = text.trimEnd().split("\n");
  if (first !== header) throw new TrainerError(`${where} must begin with "${header}" but begins with ${shown(first)}.`);
  return lines.map((line, index) => {
    const place = `${where} line ${index + 2}`;
    const cells = line.split(",");
    if (cells.length !== columns.length)
      throw new TrainerError(`${place} must have ${columns.length} cells but has ${cells.length}.`);
    const entries = columns.flatMap(([name, key], column) => {
      const cell = cells[column]!;
      // The epoch counts; other numbers may be missing, and a loss may be NaN.
      if (cell === "" && key !== "epoch") return [];
      if (!(key === "epoch" ? /^\d+$/ : number).test(cell))
        throw new TrainerError(`${place} must have a number as ${name} but has ${shown(cell)}.`);
      return [[key, Number(cell)] as const];
    });
    return Object.fromEntries(entries) as unknown as EpochLogs;
  });
}

/** A number as JavaScript writes it. */
const number = /^(-?(\d+(\.\d+)?(e[+-]?\d+)?|Infinity)|NaN)$/;

/** Writes `history.csv` as a whole. */
export async function writeHistory(path: string, rows: readonly EpochLogs[]): Promise<void> {
  await writeFileAtomic(path, formatHistory(rows));
}

/** Reads a run's `history.csv`; throws `TrainerError` with the file and the invalid line. */
export async function readHistory(path: string): Promise<EpochLogs[]> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return parseHistory(text, path);
}
