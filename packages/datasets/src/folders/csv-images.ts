import { readFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { SplitName } from "./class-folders.ts";
import { DataError, reasonOf } from "../data-error.ts";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import { imageFiles } from "./image-files.ts";
import type { ImageOptions } from "./image-files.ts";

export interface CsvOptions extends ImageOptions {
  /** The folder that the paths are relative to; the file's own without it. */
  root?: string | undefined;
  /** The names of the columns, as the first row gives them. */
  columns?: { path?: string; label?: string; split?: string } | undefined;
}

/**
 * Images listed in a CSV file with a header row: a path, a label and, if there is such a column, a split (train, validation,
 * test). Labels that are numbers are ordered as numbers, others as text. Throws a `DataError` with the line at fault.
 */
export async function csvImages(file: string, options: CsvOptions = {}): Promise<DataSplits<IndexedDataset>> {
  const { root = dirname(file), columns: { path = "path", label = "label", split = "split" } = {} } = options;
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new DataError(`${file} cannot be read: ${reasonOf(error)}`);
  });
  const [header, ...rows] = parseCsv(text, file);
  if (header === undefined) throw new DataError(`${file} is empty; expected a header row with ${path} and ${label}`);
  const place = (name: string) => header.cells.indexOf(name);
  const missing = [path, label].filter((name) => place(name) < 0);
  if (missing.length > 0) {
    throw new DataError(
      `${file}: expected the columns ${path} and ${label} in line 1, found ${header.cells.join(", ")}`,
    );
  }
  const images = rows.map(({ cells, line }) => {
    const [image, named, part = "train"] = [cells[place(path)], cells[place(label)], cells[place(split)]];
    if (cells.length !== header.cells.length) {
      throw new DataError(`${file}: expected ${header.cells.length} cells in line ${line}, found ${cells.length}`);
    }
    if (image === "" || named === "") throw new DataError(`${file}: line ${line} lacks ${image === "" ? path : label}`);
    if (!isSplit(part)) {
      throw new DataError(`${file}: expected train, validation or test in line ${line}, found ${part}`);
    }
    return { path: isAbsolute(image!) ? image! : join(root, image!), label: named!, split: part };
  });
  const names = [...new Set(images.map((image) => image.label))];
  const classes = names.every((name) => Number.isFinite(Number(name)))
    ? names.toSorted((a, b) => Number(a) - Number(b))
    : names.toSorted();
  if (classes.length < 2) {
    throw new DataError(
      `${file} has ${classes.length === 0 ? "no image" : `one class only (${classes[0]})`}; expected at least two classes`,
    );
  }
  const name = basename(file).replace(/\.csv$/i, "");
  const load = (wanted: SplitName) => {
    const listed = images.filter((image) => image.split === wanted);
    if (listed.length === 0) return undefined;
    const labels = listed.map((image) => classes.indexOf(image.label));
    return imageFiles(
      { name: `${name}/${wanted}`, classes, labels, files: listed.map((image) => image.path) },
      options,
    );
  };
  const [train, validation, test] = [await load("train"), await load("validation"), await load("test")];
  if (train === undefined) throw new DataError(`${file} has no row of the train split`);
  return { name, train, ...(validation === undefined ? {} : { validation }), ...(test === undefined ? {} : { test }) };
}

interface Row {
  cells: string[];
  line: number;
}

/** The rows of RFC 4180: quoted cells may hold commas, line ends and doubled quotes. Empty lines are left out. */
export function parseCsv(text: string, file = "The CSV"): Row[] {
  const rows: Row[] = [];
  let [cells, cell, line, start]: [string[], string, number, number] = [[], "", 1, 1];
  let quoted = false;
  const endRow = () => {
    cells.push(cell);
    if (cells.length > 1 || cell !== "") rows.push({ cells, line: start });
    [cells, cell] = [[], ""];
  };
  const source = text.replace(/^\uFEFF/, "").replaceAll(/\r\n?/g, "\n");
  for (let at = 0; at < source.length; at++) {
    const char = source[at]!;
    if (char === "\n") line++;
    if (quoted && char === '"' && source[at + 1] === '"') {
      cell += '"';
      at++;
    } else if (char === '"') {
      quoted = !quoted;
    } else if (!quoted && char === ",") {
      cells.push(cell);
      cell = "";
    } else if (!quoted && char === "\n") {
      endRow();
      start = line;
    } else {
      cell += char;
    }
  }
  if (quoted) throw new DataError(`${file}: the quote opened in line ${start} is not closed`);
  endRow();
  return rows;
}

function isSplit(name: string): name is SplitName {
  return name === "train" || name === "validation" || name === "test";
}
