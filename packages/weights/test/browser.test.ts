import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import * as tf from "@tensorflow/tfjs-core";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saveModel } from "../src/index.ts";

const chromium = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && existsSync(path));
const models: readonly (readonly [name: ModelName, size: readonly [number, number, number]])[] = [
  ["lenet5", [28, 28, 1]],
  ["resnet50-small", [32, 32, 3]],
  ["mobilenet-v2", [32, 32, 3]],
];
const require = createRequire(import.meta.url);
const scripts: Readonly<Record<string, string>> = {
  "/tf-core.min.js": require.resolve("@tensorflow/tfjs-core"),
  "/tf-layers.min.js": require.resolve("@tensorflow/tfjs-layers"),
  "/tf-backend-cpu.min.js": require.resolve("@tensorflow/tfjs-backend-cpu"),
};

/** Loads every model, predicts for a fixed input and sends back what comes out. */
const page = `${Object.keys(scripts)
  .map((path) => `<script src="${path}"></script>`)
  .join("")}<script>
(async () => {
  const results = {};
  for (const [name, shape] of ${JSON.stringify(models)}) {
    try {
      const model = await tf.loadLayersModel("/" + name + "/model.json");
      const length = shape.reduce((product, size) => product * size, 1);
      const x = tf.tensor(Float32Array.from({ length }, (_, i) => Math.sin(i)), [1, ...shape]);
      results[name] = [...(await model.predict(x).data())];
    } catch (error) { results[name] = String(error); }
  }
  await fetch("/results", { method: "POST", body: JSON.stringify(results) });
})();
</script>`;

describe.skipIf(chromium === undefined)("a browser", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-browser-"));
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));

  it("predicts the same from the tfjs models that we write", async () => {
    const expected: Record<string, Float32Array> = {};
    for (const [name, shape] of models) {
      const model = createModel(name, { input: shape, seed: 1 });
      await saveModel(model, join(folder, name), { format: "tfjs" });
      const length = shape.reduce((product, size) => product * size, 1);
      const x = tf.tensor(
        Float32Array.from({ length }, (_, i) => Math.sin(i)),
        [1, ...shape],
      );
      expected[name] = (model.predict(x) as tf.Tensor).dataSync() as Float32Array;
      x.dispose();
      model.dispose();
    }
    const results = await inBrowser();
    for (const [name] of models) {
      const values = results[name] as number[];
      expect(values, name).toHaveLength(expected[name]!.length);
      const worst = Math.max(...values.map((value, i) => Math.abs(value - expected[name]![i]!)));
      expect(worst, name).toBeLessThan(1e-5);
    }
  });

  function inBrowser(): Promise<Record<string, number[] | string>> {
    return new Promise((resolve, reject) => {
      const server = createServer((request, response) => {
        const path = request.url ?? "/";
        if (path === "/") response.setHeader("content-type", "text/html").end(page);
        else if (path === "/results") {
          let body = "";
          request.on("data", (part: Buffer) => (body += part.toString()));
          request.on("end", () => {
            response.end();
            server.close();
            // Its profile can go only when it has gone.
            browser?.once("exit", () => resolve(JSON.parse(body) as Record<string, number[] | string>));
            browser?.kill();
          });
        } else {
          const entry = scripts[path];
          const file = join(entry === undefined ? folder : dirname(entry), path);
          if (existsSync(file)) response.end(readFileSync(file));
          else response.writeHead(404).end();
        }
      });
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo;
        const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${join(folder, "profile")}`];
        browser = spawn(chromium!, [...flags, `http://127.0.0.1:${port}/`], { stdio: "ignore" });
        browser.on("error", reject);
      });
      let browser: ReturnType<typeof spawn> | undefined;
    });
  }
});
