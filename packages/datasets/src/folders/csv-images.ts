import { readFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { CsvError, parse } from "csv-parse/sync";
import { DataError, reasonOf } from "../data-error.ts";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import { checkNames } from "../images/decode-options.ts";
import type { SplitName } from "./class-folders.ts";
import { byCodePoint, looseName } from "./class-names.ts";
import {
  columnNames,
  type CsvColumns,
  inputsOf,
  readNumbers,
  readTarget,
  type Row,
  targetColumns,
  targetsOf,
} from "./csv-targets.ts";
import { type MaskOptions, meaningOf } from "../masks/mask-files.ts";
import { imageFiles, imageOptionNames, pickImageOptions } from "./image-files.ts";
import type { ImageOptions } from "./image-files.ts";

export interface CsvOptions extends ImageOptions {
  /** The folder that paths are relative to and must not leave; by default the CSV file's folder. */
  readonly root?: string | undefined;
  /** Allows paths that leave `root`; false by default. */
  readonly outside?: boolean | undefined;
  /** The names of the columns in the header row; "path", "label" and "split" by default. */
  readonly columns?: CsvColumns | undefined;
  /** What the values of masks mean, with a column of masks; by default their numbers are the classes. */
  readonly masks?: MaskOptions | undefined;
}

export const csvOptionNames: OptionNames<CsvOptions> = {
  ...imageOptionNames,
  root: true,
  outside: true,
  columns: true,
  masks: true,
};

/**
 * Reads images listed in a CSV file with a header row: a path, a label and optionally a split (train, validation,
 * test). Classes are ordered by code points, as with folders. Instead of a class, an image may have several labels,
 * numbers, or targets of several kinds. Throws a DataError with the wrong line, also if labels differ only in spaces or
 * leading zeros, if a cell is no number, if a file has two splits, or if a path leaves `root`.
 */
export async function csvImages(file: string, options: CsvOptions = {}): Promise<DataSplits<IndexedDataset>> {
  checkNames("csvImages", options, csvOptionNames);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new DataError(`${file} cannot be read: ${reasonOf(error)}`);
  });
  const rows = parseCsv(text, file);
  const { targets, inputs } = targetColumns(options.columns ?? {});
  const { mask } = options.columns ?? {};
  checkNames("csvImages masks", options.masks, { names: true, ignore: true });
  if (options.masks !== undefined && mask === undefined)
    throw new DataError(`${file}: masks says what the values of masks mean: name their column as columns.mask`);
  const isTold = targets.length > 0 || mask !== undefined;
  const images = listedImages(rows, file, { ...options, hasLabel: !isTold });
  const notes = checkFiles(images, file);
  const table = { file, header: rows[0]!.cells, rows: rows.slice(1) };
  const read = targets.map((target) => readTarget(table, target));
  const readInputs = inputs.map((input) => readNumbers(table, input));
  const classes = isTold ? [] : classesOf(images, file);
  const name = basename(file).replace(/\.csv$/i, "");
  const maskFiles = mask === undefined ? undefined : maskPaths(table, mask, options);
  const meaning = maskFiles && (await meaningOf(name, maskFiles, options.masks ?? {}, options.pixelLimit));
  const load = (wanted: SplitName) => {
    const listed = images.filter((image) => image.split === wanted);
    if (listed.length === 0) return undefined;
    const files = listed.map((image) => image.path);
    const places = images.flatMap((image, place) => (image.split === wanted ? [place] : []));
    const more = inputs.length === 0 ? {} : { inputs: inputsOf(readInputs, places) };
    const told = isTold
      ? {
          ...(targets.length > 0 && { targets: targetsOf(read, places) }),
          ...(maskFiles && meaning && { masks: { files: places.map((place) => maskFiles[place]!), meaning } }),
        }
      : { classes, labels: listed.map((image) => classes.indexOf(image.label)) };
    return imageFiles({ name: `${name}/${wanted}`, ...told, ...more, files, notes }, pickImageOptions(options));
  };
  const [train, validation, test] = [await load("train"), await load("validation"), await load("test")];
  if (train === undefined) throw new DataError(`${file} has no row of the train split`);
  return { name, train, ...(validation === undefined ? {} : { validation }), ...(test === undefined ? {} : { test }) };
}

/** The mask file of each row. */
function maskPaths(
  { file, header, rows }: { readonly file: string; readonly header: readonly string[]; readonly rows: readonly Row[] },
  column: string,
  { root = dirname(file), outside = false }: CsvOptions,
): string[] {
  const place = header.indexOf(column);
  if (place < 0) throw new DataError(`${file}: expected the column ${column} in line 1, found ${header.join(", ")}`);
  return rows.map(({ cells, line }) => {
    const cell = cells[place] ?? "";
    if (cell === "") throw new DataError(`${file}: line ${line} lacks ${column}`);
    return checkedPath(cell, { file, line, root, outside });
  });
}

interface ListedImage {
  readonly path: string;
  readonly label: string;
  readonly split: SplitName;
  readonly line: number;
}

function listedImages(
  [header, ...rows]: readonly Row[],
  file: string,
  { root = dirname(file), outside = false, columns = {}, hasLabel }: CsvOptions & { readonly hasLabel: boolean },
): ListedImage[] {
  checkNames("csvImages columns", columns, columnNames);
  if (columns.image !== undefined || columns.classes !== undefined)
    throw new DataError(
      `${file}: columns.image and columns.classes are for shards; name the column of files by columns.path`,
    );
  const { path = "path", label = "label", split = "split" } = columns;
  if (header === undefined) throw new DataError(`${file} is empty; expected a header row with ${path} and ${label}`);
  const place = (name: string) => header.cells.indexOf(name);
  if (place(path) < 0 || (hasLabel && place(label) < 0)) {
    throw new DataError(
      `${file}: expected the column${hasLabel ? `s ${path} and ${label}` : ` ${path}`} in line 1, found ${header.cells.join(", ")}`,
    );
  }
  const images = rows.map(({ cells, line }): ListedImage => {
    const [image = "", named = "", part = "train"] = [cells[place(path)], cells[place(label)], cells[place(split)]];
    if (cells.length !== header.cells.length) {
      throw new DataError(`${file}: expected ${header.cells.length} cells in line ${line}, found ${cells.length}`);
    }
    if (image === "" || (hasLabel && named === ""))
      throw new DataError(`${file}: line ${line} lacks ${image === "" ? path : label}`);
    if (!isSplit(part)) {
      throw new DataError(`${file}: expected train, validation or test in line ${line}, found ${part}`);
    }
    return {
      path: checkedPath(image, { file, line, root, outside }),
      label: hasLabel ? named.normalize("NFC") : "",
      split: part,
      line,
    };
  });
  return images;
}

function checkedPath(
  path: string,
  { file, line, root, outside }: { file: string; line: number; root: string; outside: boolean },
): string {
  if (path.includes("\0")) throw new DataError(`${file}: the path in line ${line} has a NUL character`);
  const full = resolve(root, path);
  const within = relative(resolve(root), full);
  const leaves = within === ".." || within.startsWith(`..${sep}`) || isAbsolute(within);
  if (outside || !leaves) return full;
  throw new DataError(
    `${file}: expected a path inside ${root} in line ${line}, got ${shown(path)}; give another root, or allow it with the option outside`,
  );
}

/** Returns notes on files with two labels. Throws if a file has two splits. */
function checkFiles(images: readonly ListedImage[], file: string): string[] {
  const seen = new Map<string, ListedImage>();
  const notes: string[] = [];
  for (const image of images) {
    const { path, split, label, line } = image;
    const before = seen.get(path);
    seen.set(path, before ?? image);
    if (before === undefined) continue;
    if (before.split !== split) {
      throw new DataError(
        `${file}: expected one split for each file, but ${path} is in ${before.split} by line ${before.line} and in ${split} by line ${line}`,
      );
    }
    if (before.label !== label) {
      notes.push(`${file} gives ${path} two labels: ${before.label} in line ${before.line}, ${label} in line ${line}`);
    }
  }
  return notes;
}

/** The labels in order. Throws if two labels look alike: 1 and 01, or "a" and " a". */
function classesOf(images: readonly ListedImage[], file: string): string[] {
  const firsts = new Map<string, ListedImage>();
  for (const image of images) {
    const key = looseName(image.label);
    const first = firsts.get(key) ?? image;
    firsts.set(key, first);
    if (first.label === image.label) continue;
    throw new DataError(
      `${file}: expected labels that differ clearly, got ${shown(first.label)} in line ${first.line} and ` +
        `${shown(image.label)} in line ${image.line}; write them alike if they are one class`,
    );
  }
  const classes = [...new Set(images.map((image) => image.label))].toSorted(byCodePoint);
  if (classes.length >= 2) return classes;
  throw new DataError(
    `${file} has ${classes.length === 0 ? "no image" : `one class only (${classes[0]})`}; expected at least two classes`,
  );
}

/**
 * Parses rows as in RFC 4180: quoted cells may contain commas, line ends and doubled quotes. Empty lines are skipped.
 */
export function parseCsv(text: string, file = "The CSV"): Row[] {
  let line = 1;
  try {
    const records = parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      record_delimiter: ["\r\n", "\n", "\r"],
      skip_empty_lines: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return records.map(({ record, info }) => {
      const row = { cells: record, line: info.lines - inside(record) };
      line = info.lines;
      return row;
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const where = typeof error["lines"] === "number" ? error["lines"] : line;
    throw new DataError(
      error.code === "CSV_QUOTE_NOT_CLOSED"
        ? `${file}: the quote opened in line ${where} is not closed`
        : `${file}: expected rows of commas and quoted cells, but ${reasonOf(error)}`,
    );
  }
}

/** Counts the line ends in the cells of a row. */
function inside(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => sum + (cell.match(/\r\n|\n|\r/g)?.length ?? 0), 0);
}

function isSplit(name: string): name is SplitName {
  return name === "train" || name === "validation" || name === "test";
}
