import { UsageError } from "../terminal/usage-error.ts";

/** Throws a `UsageError` unless the name of a page ends in .html or .htm. */
export function checkHtmlName(out: string): void {
  if (!/\.html?$/i.test(out)) throw new UsageError(`The page is HTML: expected --out to end in .html, got ${out}.`);
}
