import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";

/** A CSV file that is written row by row and appears when it is whole. */
export interface CsvFile {
  add(rows: readonly (readonly (string | number)[])[]): Promise<void>;
  /** Puts the file in its place. */
  done(): Promise<void>;
  /** Leaves nothing behind, unless it is done. */
  close(): Promise<void>;
}

/** Begins a CSV file with the names of its columns. */
export async function openCsv(path: string, columns: readonly string[]): Promise<CsvFile> {
  const temporary = `${path}.${randomBytes(4).toString("hex")}.partial`;
  const file = await open(temporary, "w").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${path} cannot be written (${error.code}): give --csv a file in a folder that is there.`);
  });
  const add: CsvFile["add"] = async (rows) => {
    if (rows.length > 0) await file.write(`${rows.map((row) => row.map(cell).join(",")).join("\n")}\n`);
  };
  await add([columns]);
  return {
    add,
    async done() {
      await file.sync();
      await rename(temporary, path);
    },
    async close() {
      await file.close();
      await rm(temporary, { force: true });
    },
  };
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
