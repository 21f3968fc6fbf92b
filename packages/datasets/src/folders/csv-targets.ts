import { type OptionNames, shown } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import type { InputData, TargetData } from "../dataset/targets.ts";
import { byCodePoint } from "./class-names.ts";

/** The columns of a CSV file with images, or the fields of records in shards. */
export interface CsvColumns {
  /**
   * Of shards: the field of the image, which is a file's ending (tar), a column (Parquet) or a feature (TFRecord).
   * Found by itself by default.
   */
  readonly image?: string | undefined;
  /** Of shards: the names of the classes, in the order of their numbers; by default those that the data tell. */
  readonly classes?: readonly string[] | undefined;
  /** The column of the image files; "path" by default. */
  readonly path?: string | undefined;
  /**
   * The column of the class names; "label" by default, none if `labels`, `numbers` or `targets` are given. Of shards: the
   * field of the class, such as `cls`, `json.class` or `image/class/label`; found by itself by default.
   */
  readonly label?: string | undefined;
  /**
   * The column with the names of several labels (of shards: a field, which may be a list such as `json.tags`), separated by `|`, `;` or `,`; or several columns with 0 or 1, one
   * a label. The target is called "labels". None by default.
   */
  readonly labels?: string | readonly string[] | undefined;
  /** The columns of numbers to predict, or the fields of shards, as `json.angle`; the target is called "numbers". None by default. */
  readonly numbers?: string | readonly string[] | undefined;
  /** The column of the mask files, relative to `root` like the images; the target is called "mask". None by default. */
  readonly mask?: string | undefined;
  /** The targets by name, for a model of several outputs; none by default. */
  readonly targets?: Readonly<Record<string, CsvTarget>> | undefined;
  /** The columns of numbers for each further input of the model, by the names of the inputs; none by default. */
  readonly inputs?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** The column of the splits; "split" by default. Without it, all images are for training. */
  readonly split?: string | undefined;
}

/** A target in columns of a CSV file. */
export interface CsvTarget {
  readonly kind: "class" | "labels" | "numbers";
  /** One column with a class, or with the names of labels; or a column for each label or number. */
  readonly columns: string | readonly string[];
}

export const columnNames: OptionNames<CsvColumns> = {
  image: true,
  classes: true,
  path: true,
  label: true,
  split: true,
  labels: true,
  numbers: true,
  mask: true,
  targets: true,
  inputs: true,
};

/** A row of a CSV file. */
export interface Row {
  readonly cells: readonly string[];
  /** The first line of the row. */
  readonly line: number;
  /** What messages call the row; its line by default. */
  readonly place?: string | undefined;
}

/** The header and the rows of a CSV file. */
interface Table {
  readonly file: string;
  readonly header: readonly string[];
  readonly rows: readonly Row[];
}

interface NamedTarget extends Omit<CsvTarget, "columns"> {
  readonly name: string;
  readonly columns: readonly string[];
}

interface NamedInput {
  readonly name: string;
  readonly columns: readonly string[];
}

const kinds: readonly CsvTarget["kind"][] = ["class", "labels", "numbers"];

/** The targets and the further inputs that options name; no targets means one class an image. */
export function targetColumns(columns: CsvColumns): {
  targets: NamedTarget[];
  inputs: NamedInput[];
} {
  const { label, labels, numbers, targets = {}, inputs = {} } = columns;
  const listed = (given: string | readonly string[]): readonly string[] => {
    if (typeof given === "string") return [given];
    if (Array.isArray(given)) return given as readonly string[];
    throw new DataError(`columns: expected the name of a column or a list of names, got ${shown(given)}`);
  };
  const others: NamedTarget[] = [
    ...(labels === undefined ? [] : [{ name: "labels", kind: "labels", columns: listed(labels) } as const]),
    ...(numbers === undefined ? [] : [{ name: "numbers", kind: "numbers", columns: listed(numbers) } as const]),
    ...Object.entries(targets).map(([name, { kind, columns: given }]) => {
      if (!kinds.includes(kind))
        throw new DataError(`the target ${name}: expected the kind ${kinds.join(", ")}, got ${shown(kind)}`);
      return { name, kind, columns: listed(given) };
    }),
  ];
  const isClassToo = label !== undefined && others.length > 0;
  return {
    targets: isClassToo ? [{ name: "label", kind: "class", columns: [label] }, ...others] : others,
    inputs: Object.entries(inputs).map(([name, given]) => ({ name, columns: listed(given) })),
  };
}

/** The values of a target for each row. */
interface ReadTarget {
  readonly name: string;
  readonly kind: TargetData["kind"];
  readonly names: readonly string[];
  readonly rows: readonly (readonly number[])[];
}

/** Reads the columns of a target. Throws a `DataError` with the line of a cell that does not fit. */
export function readTarget(table: Table, target: NamedTarget): ReadTarget {
  const { kind, name, columns } = target;
  if (columns.length === 0) throw new DataError(`${table.file}: the target ${name} has no columns`);
  if (kind === "numbers") return { kind, ...readNumbers(table, target) };
  if (kind === "labels" && columns.length > 1) {
    const { names, rows } = readNumbers(table, target);
    for (const [index, row] of rows.entries()) {
      const place = row.findIndex((value) => value !== 0 && value !== 1);
      if (place >= 0)
        throw new DataError(
          `${table.file}: expected 0 or 1 as ${columns[place]} in ${placeOf(table.rows[index]!)}, found ${row[place]}`,
        );
    }
    return { name, kind, names, rows };
  }
  if (kind === "class" && columns.length > 1)
    throw new DataError(`${table.file}: the class ${name} has one column, not ${columns.join(", ")}`);
  const cells = columnOf(table, columns[0]!);
  const lists = cells.map((cell) => (kind === "class" ? [cell] : cell.split(/[|;,]/)).map(trimmed).filter(Boolean));
  const empty = lists.findIndex((list) => kind === "class" && list.length === 0);
  if (empty >= 0) throw new DataError(`${table.file}: ${placeOf(table.rows[empty]!)} lacks ${columns[0]}`);
  const names = [...new Set(lists.flat())].toSorted(byCodePoint);
  const places = new Map(names.map((each, place) => [each, place]));
  const rows = lists.map((list) =>
    kind === "class" ? [places.get(list[0]!)!] : names.map((each) => Number(list.includes(each))),
  );
  return { name, kind, names, rows };
}

/** Reads columns of numbers. */
export function readNumbers(table: Table, { name, columns }: NamedInput): Omit<ReadTarget, "kind"> {
  const cells = columns.map((column) => columnOf(table, column));
  const rows = table.rows.map((row, index) =>
    columns.map((column, place) => {
      const cell = cells[place]![index]!.trim();
      const value = Number(cell);
      if (cell !== "" && Number.isFinite(value)) return value;
      throw new DataError(`${table.file}: expected a number as ${column} in ${placeOf(row)}, found ${shown(cell)}`);
    }),
  );
  return { name, names: columns, rows };
}

/** The targets of some rows. */
export function targetsOf(read: readonly ReadTarget[], places: readonly number[]): Record<string, TargetData> {
  return Object.fromEntries(
    read.map(({ name, kind, names, rows }) => [name, { kind, names, values: places.flatMap((place) => rows[place]!) }]),
  );
}

/** The further inputs of some rows. */
export function inputsOf(
  read: readonly Omit<ReadTarget, "kind">[],
  places: readonly number[],
): Record<string, InputData> {
  return Object.fromEntries(
    read.map(({ name, names, rows }) => [
      name,
      { shape: [names.length], values: places.flatMap((place) => rows[place]!) },
    ]),
  );
}

function columnOf({ file, header, rows }: Table, column: string): string[] {
  const place = header.indexOf(column);
  if (place < 0) throw new DataError(`${file}: expected the column ${column} in line 1, found ${header.join(", ")}`);
  return rows.map(({ cells }) => cells[place] ?? "");
}

function placeOf({ place, line }: Row): string {
  return place ?? `line ${line}`;
}

function trimmed(text: string): string {
  return text.trim().normalize("NFC");
}
