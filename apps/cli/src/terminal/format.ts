/** A count with thousands separators: 61,706. */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

/** A large count in about three digits: 416.5 k, 15.47 G. */
export function short(count: number): string {
  const units = ["", " k", " M", " G", " T"];
  const power = count < 1000 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), units.length - 1);
  return `${power === 0 ? count : (count / 1000 ** power).toPrecision(4)}${units[power]}`;
}

/** A number of bytes with a readable unit. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = count < 1000 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), units.length - 1);
  return `${power === 0 ? count : (count / 1000 ** power).toFixed(1)} ${units[power]}`;
}

/** A share as a percentage with two places: 98.76 %. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** A duration in readable units: 8.1 s, 2 min 05 s, 1 h 02 min. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** Rows in columns; numbers (all but the first `left` columns) are aligned right. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[], { left = 1 } = {}): string {
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column < left ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd();
  return [titles, ...rows].map(line).join("\n");
}
