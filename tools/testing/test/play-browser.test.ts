import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium } from "../src/chromium.ts";

/** The parts of the lessons that compute in the browser, driven by keys, pointer and controls. */

const docs = fileURLToPath(new URL("../../../docs/", import.meta.url));
const { withPlays, writePlay } = (await import(pathToFileURL(join(docs, "build/play.mjs")).href)) as {
  withPlays: (text: string) => string;
  writePlay: (docs: string, out: string) => Promise<void>;
};
const executablePath = findChromium();
const skipped = executablePath === undefined ? " (skipped: no Chromium; CONVKIT_CHROMIUM names one)" : "";

describe.skipIf(executablePath === undefined)(`in a browser${skipped}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-play-"));
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    await writePlay(docs, join(folder, "play.js"));
    const style = readFileSync(join(docs, ".vitepress/theme/style.css"), "utf8");
    const places = withPlays(
      "<!-- play: window input=5 kernel=3 stride=1 padding=0 dilation=1 -->\n<!-- play: field layers=3,p2,3 size=24 -->",
    );
    const html = `<!doctype html><meta charset="utf-8"><style>${style}</style><main class="vp-doc">${places}</main><script src="play.js"></script>`;
    writeFileSync(join(folder, "index.html"), html);
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox", "--disable-gpu"] });
    page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    page.on("pageerror", ({ message }) => errors.push(message));
    await page.goto(pathToFileURL(join(folder, "index.html")).href);
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("the value of the receptive field moves by keys and by dragging", async () => {
    const field = page.locator('[data-play="field"]');
    const picture = field.locator(".play-picture");
    const told = field.locator(".play-told");
    // 24 pixels; 3x3, pool 2x2, 3x3: 12 values; the last sees 3 + 1 + 2 * 2 = 8 pixels, its neighbor 2 further.
    expect(await picture.getAttribute("aria-valuemax")).toBe("11");
    expect(await told.textContent()).toContain(
      "value 6 of the last map sees 8x8 pixels, and its neighbor the field 2 pixels further",
    );
    await picture.focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowLeft");
    expect(await picture.getAttribute("aria-valuenow")).toBe("7");
    for (let i = 0; i < 9; i++) await page.keyboard.press("ArrowLeft");
    expect(await picture.getAttribute("aria-valuenow")).toBe("0");
    // The first value reads three columns of padding: the pixels -3 to 4.
    expect(await told.textContent()).toContain("5 of the 8 columns that it reads are in the image");
    const box = (await picture.locator("svg").boundingBox())!;
    const at = (share: number): readonly [number, number] => [box.x + share * box.width, box.y + 35];
    await page.mouse.move(...at(0.1));
    await page.mouse.down();
    const places: number[] = [];
    for (const share of [0.25, 0.5, 0.75, 0.99]) {
      await page.mouse.move(...at(share), { steps: 2 });
      places.push(Number(await picture.getAttribute("aria-valuenow")));
    }
    await page.mouse.up();
    // Twelve values over the width: 0.25 * 12 = 3, less half a value.
    expect(places.map((place, i) => Math.abs(place - [2.5, 5.5, 8.5, 11][i]!) <= 0.6)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    await page.mouse.move(...at(0.1));
    expect(await picture.getAttribute("aria-valuenow")).toBe(String(places[3]));
  });

  test("layers are added and taken away", async () => {
    const field = page.locator('[data-play="field"]');
    await field.getByRole("button", { name: "+ 5x5" }).click();
    expect(await field.locator(".play-told").textContent()).toMatch(/^4 layers: .* sees 16x16 pixels/);
    await field.getByRole("button", { name: "last layer" }).click();
    expect(await field.locator(".play-told").textContent()).toMatch(/^3 layers: .* sees 8x8 pixels/);
  });

  test("the window moves by keys and by clicks, and its controls change the size", async () => {
    const window = page.locator('[data-play="window"]');
    const [picture, told] = [window.locator(".play-picture"), window.locator(".play-told")];
    expect(await told.textContent()).toBe("(H + 2P - F) / S + 1 = (5 + 2 * 0 - 3) / 1 + 1 = 3.");
    const drawing = () => picture.evaluate((place) => place.shadowRoot!.querySelector("svg")!.outerHTML);
    const before = await drawing();
    await picture.focus();
    await page.keyboard.press("ArrowRight");
    const moved = await drawing();
    expect(moved).not.toBe(before);
    await page.keyboard.press("ArrowLeft");
    expect(await drawing()).toBe(before);
    // The second value of the result is where the window stood.
    await picture.locator(".result").nth(1).click();
    expect(await drawing()).toBe(moved);
    const slider = (name: string) => window.getByRole("slider", { name });
    await slider("Stride").focus();
    await page.keyboard.press("ArrowRight");
    expect(await told.textContent()).toBe("(H + 2P - F) / S + 1 = (5 + 2 * 0 - 3) / 2 + 1 = 2.");
    await slider("Kernel").fill("5");
    await slider("Dilation").fill("2");
    expect(await told.textContent()).toMatch(/^The window does not fit/);
  });

  test("nothing is wider than a phone, and nothing failed", async () => {
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(errors).toEqual([]);
  });
});
