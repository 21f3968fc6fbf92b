import { readFile } from "@convkit/files/system";
import { shown } from "@convkit/errors";
import { writeFileAtomic } from "@convkit/files";
import { TrainerError, unreadable } from "../trainer-error.ts";

/** One row of `history.csv`: an epoch. `seconds` is the epoch's wall time, validation included. */
export interface EpochLogs {
  readonly epoch: number;
  readonly loss: number;
  /** The share of right classes; missing if the model tells no classes. */
  readonly accuracy?: number | undefined;
  readonly valLoss?: number;
  readonly valAccuracy?: number;
  /** The learning rate of the epoch's last step. */
  readonly lr: number;
  readonly seconds: number;
  /** The metrics by their columns, those of the validation images with `val_` before the name; missing if there are none. */
  readonly metrics?: Readonly<Record<string, number>> | undefined;
}

const columns = [
  ["epoch", "epoch"],
  ["loss", "loss"],
  ["accuracy", "accuracy"],
  ["val_loss", "valLoss"],
  ["val_accuracy", "valAccuracy"],
  ["lr", "lr"],
  ["seconds", "seconds"],
] as const satisfies readonly (readonly [string, Exclude<keyof EpochLogs, "metrics">])[];

const header = columns.map(([name]) => name).join(",");

/** The rows as CSV text, with a column for each metric; a missing value is an empty cell. */
export function formatHistory(rows: readonly EpochLogs[]): string {
  const metrics = [...new Set(rows.flatMap((row) => Object.keys(row.metrics ?? {})))];
  const lines = rows.map((row) =>
    [...columns.map(([, key]) => row[key] ?? ""), ...metrics.map((name) => row.metrics?.[name] ?? "")].join(","),
  );
  return `${[[header, ...metrics].join(","), ...lines].join("\n")}\n`;
}

/** The inverse of `formatHistory`; throws `TrainerError` with the invalid line. */
export function parseHistory(text: string, where = "history.csv"): EpochLogs[] {
  const [first = "", ...lines] = text.trimEnd().split("\n");
  if (first !== header && !first.startsWith(`${header},`))
    throw new TrainerError(`${where} must begin with "${header}" but begins with ${shown(first)}.`);
  const metrics = first
    .slice(header.length + 1)
    .split(",")
    .filter(Boolean);
  return lines.map((line, index) => {
    const place = `${where} line ${index + 2}`;
    const cells = line.split(",");
    if (cells.length !== columns.length + metrics.length)
      throw new TrainerError(`${place} must have ${columns.length + metrics.length} cells but has ${cells.length}.`);
    const read = (name: string, column: number): number | undefined => {
      const cell = cells[column]!;
      // The epoch counts; other numbers may be missing, and a loss may be NaN.
      if (cell === "" && name !== "epoch") return undefined;
      if (!(name === "epoch" ? /^\d+$/ : number).test(cell))
        throw new TrainerError(`${place} must have a number as ${name} but has ${shown(cell)}.`);
      return Number(cell);
    };
    const own = columns.map(([name, key], column) => [key, read(name, column)] as const);
    const more = metrics.map((name, column) => [name, read(name, columns.length + column)] as const);
    const isGiven = ([, value]: readonly [string, number | undefined]) => value !== undefined;
    return {
      ...(Object.fromEntries(own.filter(isGiven)) as unknown as EpochLogs),
      ...(metrics.length > 0 && { metrics: Object.fromEntries(more.filter(isGiven)) as Record<string, number> }),
    };
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
