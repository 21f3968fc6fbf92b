import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openChecker, readers, type Checker } from "../src/accessibility.ts";
import { findChromium } from "@convkit/testing/chromium";
import { withoutBrowser } from "../src/browser.ts";

/** The pages that commands write, checked by axe-core; `pnpm find:accessibility` checks those of the site. */

const program = new URL("../../../apps/cli/src/program.ts", import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), "convkit-accessibility-"));
const run = join(folder, "run");
const pages = ["run/report.html", "health.html", "inspect.html", "explain.html", "draw.html"];
const at = (page: string): string => join(folder, page);
const onEngine = ["--engine", "wasm"];
/** A PNG file of 28x28 pixels. */
const photo =
  "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAMAAABF0y+mAAAAA1BMVEXIWihNJ+cGAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEElEQVQokWNgGAWjYBQQAwADLAABC138mwAAAABJRU5ErkJggg==";

const commands = [
  ["train", "lenet5", "--data", "mnist", "--limit", "60", "--epochs", "2", "--health", "1", "--out", run, ...onEngine],
  ["health", run, "--out", at("health.html")],
  ["inspect", run, at("photo.png"), "--out", at("inspect.html"), ...onEngine],
  ["explain", "correlation", "--out", at("explain.html")],
  ["draw", "lenet5", at("draw.html")],
];

describe.skipIf(findChromium() === undefined)(`pages of the commands${withoutBrowser}`, () => {
  let checker: Checker;

  beforeAll(async () => {
    writeFileSync(at("photo.png"), Buffer.from(photo, "base64"));
    // One process for all commands, which take longer to load than to run.
    const script = `const { runCli } = await import(${JSON.stringify(program)});
for (const command of ${JSON.stringify(commands)}) if ((await runCli(command)) !== 0) process.exit(1);`;
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "--eval", script],
      {
        cwd: fileURLToPath(new URL("..", import.meta.url)),
        encoding: "utf8",
      },
    );
    expect(status, stderr).toBe(0);
    checker = await openChecker();
  });

  afterAll(async () => {
    await checker?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(pages)("%s has no serious finding, in light and on a phone in dark", async (page) => {
    for (const reader of readers) {
      expect(await checker.findingsIn(pathToFileURL(at(page)).href, reader)).toEqual([]);
    }
  });

  test("a page with a picture without a text and with faint letters has findings", async () => {
    writeFileSync(
      at("wrong.html"),
      `<!doctype html><html lang="en"><title>wrong</title><main><h1>Wrong</h1><p style="color:#bbb;background:#fff;width:700px">faint</p><img src="photo.png"></main>`,
    );
    const findings = await checker.findingsIn(pathToFileURL(at("wrong.html")).href, readers[1]!);
    expect(findings.map((finding) => finding.split(";")[0])).toEqual([
      "the page is 708 pixels wide in a window of 390",
      "color-contrast",
      "image-alt",
    ]);
  });
});
