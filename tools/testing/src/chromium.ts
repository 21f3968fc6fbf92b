import { existsSync } from "node:fs";
import { join } from "node:path";

/** The program of Chromium or Chrome; undefined where there is none and `CONVKIT_CHROMIUM` names none. */
export const executablePath = [
  process.env["CONVKIT_CHROMIUM"] ?? "",
  ...["chromium", "chromium-browser", "google-chrome"].map((name) => join("/usr/bin", name)),
].find((file) => existsSync(file));
