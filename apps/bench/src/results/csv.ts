import type { Row } from "./result.ts";

const columns = [
  "case",
  "system",
  "status",
  "variant",
  "median",
  "p10",
  "p90",
  "unit",
  "ratioToFastestPeer",
  "samples",
  "otherLoad",
  "peakMB",
  "note",
  "reason",
] as const satisfies readonly (keyof Row)[];

/** The rows as CSV (RFC 4180), with a header line. */
export function formatCsv(rows: readonly Row[]): string {
  const lines = rows.map((row) => columns.map((column) => cell(row[column])).join(","));
  return [columns.join(","), ...lines].join("\r\n") + "\r\n";
}

function cell(value: string | number | null | undefined): string {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
