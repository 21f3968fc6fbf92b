import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { findChromium } from "@convkit/testing/chromium";

/** The page of `convkit playground`, and a browser with a camera that shows a test picture. */
export interface Playground {
  readonly url: string;
  readonly browser: Browser;
  close(): Promise<void>;
}

/** The command of the checkout. */
export const commandFile = fileURLToPath(new URL("../../../apps/cli/bin/convkit.js", import.meta.url));

/** Runs `convkit playground`, which needs the built page (`pnpm build`), and starts a browser. */
export async function openPlayground(): Promise<Playground> {
  const server = spawn(process.execPath, [commandFile, "playground", "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  while (!printed.includes("}")) {
    const [part] = (await once(server.stdout, "data")) as [Buffer];
    printed += String(part);
  }
  const { url } = JSON.parse(printed) as { url: string };
  const browser = await chromium.launch({
    executablePath: findChromium()!,
    args: ["--no-sandbox", "--use-fake-device-for-media-stream"],
  });
  return {
    url,
    browser,
    async close() {
      await browser.close();
      server.kill("SIGTERM");
      if (server.exitCode === null) await once(server, "exit");
    },
  };
}
