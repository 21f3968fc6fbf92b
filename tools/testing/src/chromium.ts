import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** The browser that page tests run in: `CONVKIT_CHROMIUM`, or a Chromium or Chrome on the path; undefined where there is none. */
export function findChromium(): string | undefined {
  const { CONVKIT_CHROMIUM: told, PATH = "" } = process.env;
  if (told !== undefined && told !== "") return told;
  const files = PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return files.find((file) => existsSync(file));
}
