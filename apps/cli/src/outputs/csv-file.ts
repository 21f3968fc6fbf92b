import { openAtomicFile } from "@convkit/files";

/** A CSV file that is written row by row, and appears when it is complete. */
export interface CsvFile {
  add(rows: readonly (readonly (string | number)[])[]): Promise<void>;
  /** Moves the complete file to its path. */
  done(): Promise<void>;
  /** Deletes the file, unless it is done. */
  close(): Promise<void>;
}

/** Starts a CSV file with the names of its columns. Throws a FileError that names `path` if it cannot be written. */
export async function openCsv(path: string, columns: readonly string[]): Promise<CsvFile> {
  const file = await openAtomicFile(path);
  const add: CsvFile["add"] = async (rows) => {
    if (rows.length > 0) await file.append(`${rows.map((row) => row.map(cell).join(",")).join("\n")}\n`);
  };
  await add([columns]);
  return { add, done: () => file.commit(), close: () => file.discard() };
}

/** A cell. Text that a spreadsheet would compute begins with an apostrophe, which makes it text there. */
function cell(value: string | number): string {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
