// `pnpm find:accessibility [part of a path…]`: checks the pages of the built site, `docs/dist`, in light on a wide screen and in dark on a
// phone. Ends with 1 where a page has a finding. All pages take more than ten minutes.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { argv, exit, stderr, stdout } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openChecker, readers } from "./accessibility.ts";
import { findChromium } from "@convkit/testing/chromium";

const dist = fileURLToPath(new URL("../../../docs/dist", import.meta.url));
const parts = argv.slice(2);
if (!existsSync(dist) || findChromium() === undefined) {
  stderr.write("Needs the site (`pnpm site`) and Chromium (CONVKIT_CHROMIUM names one).\n");
  exit(2);
}
const pages = readdirSync(dist, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".html") && (parts.length === 0 || parts.some((part) => file.includes(part))))
  .toSorted();
const checker = await openChecker();
let count = 0;
for (const page of pages) {
  for (const reader of readers) {
    const findings = await checker.findingsIn(pathToFileURL(join(dist, page)).href, reader);
    count += findings.length;
    for (const finding of findings) stdout.write(`${page}, ${reader.scheme}, ${reader.width} pixels: ${finding}\n`);
  }
}
await checker.close();
stdout.write(`${pages.length} pages, ${count} findings\n`);
exit(pages.length === 0 || count > 0 ? 1 : 0);
