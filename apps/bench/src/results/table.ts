import { groupBy } from "./group-by.ts";
import type { Row } from "./result.ts";

/** Formats the rows as a table for a terminal: one block per case, the fastest system first. */
export function formatTable(rows: readonly Row[]): string {
  const header = ["case", "system", "median", "p10–p90", "unit", "vs fastest peer", "peak MB", "note"];
  const lines = [...groupBy(rows, (row) => row.case)].flatMap(([name, mine]) =>
    mine
      .toSorted((a, b) => (a.median ?? Infinity) - (b.median ?? Infinity))
      .map((row, index) => [
        index === 0 ? name : "",
        row.system,
        row.median === null ? "–" : formatNumber(row.median),
        row.p10 === null || row.p90 === null ? "" : `${formatNumber(row.p10)}–${formatNumber(row.p90)}`,
        row.median === null ? "" : row.unit,
        row.ratioToFastestPeer === null ? "" : row.ratioToFastestPeer.toFixed(2),
        row.peakMB === null || row.unit === "MB" ? "" : formatNumber(row.peakMB),
        describe(row),
      ]),
  );
  const widths = header.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]!.length)));
  const right = new Set([2, 5, 6]);
  return [header, ...lines]
    .map((line) =>
      line
        .map((cell, column) => (right.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** The remarks beside the numbers: variant, error, reason and other load. */
function describe({ status, variant, note, reason, otherLoad }: Row): string {
  return [
    status === "ok" ? (variant === "default" ? "" : variant) : status,
    note,
    reason,
    otherLoad !== null && otherLoad > 0.1 ? `others used ${Math.round(otherLoad * 100)} % of the machine` : "",
  ]
    .filter(Boolean)
    .join("; ");
}

/** Formats a number with three significant digits. */
export function formatNumber(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
