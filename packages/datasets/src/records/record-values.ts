import { shown } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import type { StoredTargets } from "../dataset/targets.ts";
import { storedTargets } from "../dataset/targets.ts";
import { type CsvColumns, readTarget, targetColumns, targetsOf } from "../folders/csv-targets.ts";
import type { RecordTable } from "./record-table.ts";

/** The fields with the labels and numbers of a record; none if each record has a class. */
export function valueFields({ labels = [], numbers = [] }: Pick<CsvColumns, "labels" | "numbers">): readonly string[] {
  return [labels, numbers].flat();
}

/** A value as the cell of a table: names of a list with `|` between them. Throws a DataError for values of other kinds. */
export function cellOf(where: string, field: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (!Array.isArray(value))
    throw new DataError(`${where}: expected a name, a number or a list of names in ${field}, found ${shown(value)}`);
  const cells = value.map((each: unknown) => cellOf(where, field, each));
  const split = cells.find((cell) => /[|;,]/.test(cell));
  if (split !== undefined)
    throw new DataError(`${where}: a label may not contain | ; or a comma, and ${field} has ${shown(split)}`);
  return cells.join("|");
}

/** The targets of the records of each split, whose labels have the same names in all. Throws a DataError that names the record. */
export function recordTargets(
  name: string,
  tables: readonly RecordTable[],
  columns: CsvColumns,
): readonly StoredTargets[] {
  const { labels, numbers } = columns;
  const rows = tables.flatMap((table) =>
    Array.from({ length: table.count }, (_, record) => ({
      cells: table.values[record]!,
      line: record,
      place: table.describe(record),
    })),
  );
  const whole = { file: name, header: valueFields(columns), rows };
  const { targets } = targetColumns({ labels, numbers });
  const read = targets.map((target) => readTarget(whole, target));
  let first = 0;
  return tables.map(({ count }) => {
    const places = Array.from({ length: count }, (_, record) => first + record);
    first += count;
    return storedTargets(name, targetsOf(read, places), { count, height: 0, width: 0 });
  });
}
