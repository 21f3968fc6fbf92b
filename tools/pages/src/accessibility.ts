import axe from "axe-core";
import { chromium, type Page } from "playwright-core";
import { findChromium } from "@convkit/testing/chromium";

/** How a reader looks at a page. */
export interface Reader {
  /** The setting for colors. */
  readonly scheme: "light" | "dark";
  /** Width of the window in CSS pixels. */
  readonly width: number;
}

/** A page in light on a wide screen, and in dark on a phone. */
export const readers: readonly Reader[] = [
  { scheme: "light", width: 1280 },
  { scheme: "dark", width: 390 },
];

/** Checks pages in one headless Chromium, which `close` ends. */
export interface Checker {
  /**
   * What is wrong with the page at an address, a line each: the findings of axe-core (WCAG 2 and its best practices) whose impact is serious
   * or critical, and a page wider than its window.
   */
  findingsIn(address: string, reader: Reader): Promise<string[]>;
  close(): Promise<void>;
}

export async function openChecker(): Promise<Checker> {
  const browser = await chromium.launch({ executablePath: findChromium()!, args: ["--no-sandbox", "--disable-gpu"] });
  return {
    findingsIn: async (address, { scheme, width }) => {
      const page = await browser.newPage({ viewport: { width, height: 844 }, colorScheme: scheme });
      page.setDefaultTimeout(0);
      try {
        await page.goto(address);
        return await findingsOn(page);
      } finally {
        await page.close();
      }
    },
    close: () => browser.close(),
  };
}

/** The same findings on a page as it is now. */
export async function findingsOn(page: Page): Promise<string[]> {
  return [...(await overflow(page)), ...(await seriousFindings(page))];
}

async function overflow(page: Page): Promise<string[]> {
  const [needed, given] = await page.evaluate<[number, number]>(
    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
  );
  return needed > given ? [`the page is ${needed} pixels wide in a window of ${given}`] : [];
}

async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run({ resultTypes: ["violations"] })');
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, any }) => [id, help, any[0]?.message ?? "", html.slice(0, 120)].join("; ")),
    );
}
