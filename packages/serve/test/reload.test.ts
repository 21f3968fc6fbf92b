import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useEngine } from "@convkit/engine";
import { installOpenvino } from "@convkit/engine/openvino";
import { quantize } from "@convkit/predict";
import { engines } from "@convkit/testing";
import { saveModel } from "@convkit/weights";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LogEntry, serve, type ServeOptions } from "../src/index.ts";
import { colorModel, colorScores, filled } from "./color-model.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-serve-"));
let options: ServeOptions;
beforeAll(async () => {
  const runtime = (await useEngine(engines[0] ?? "wasm")).backend === "tensorflow" ? "tensorflow" : "wasm";
  options = { port: 0, runtime, maxBatch: 4, drainMs: 0 };
  for (const [name, gain] of [
    ["four", 4],
    ["one", 1],
  ] as const) {
    // prettier-ignore
    const model = colorModel(gain);
    await saveModel(model, join(folder, `${name}.keras`));
    model.dispose();
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Puts a saved model where a version belongs. */
function place(models: string, version: number, name: "four" | "one"): void {
  cpSync(join(folder, `${name}.keras`), join(models, String(version), "net.keras"));
}

const color = [200, 40, 10];
const body = JSON.stringify({ instances: [filled(color)] });

/** Clients that ask one request after the other until `end`: what each got. */
function load(url: string, clients: number, path = "/v1/models/colors:predict") {
  const over = new AbortController();
  const answers: { readonly status: number; readonly first: number }[] = [];
  const failures: string[] = [];
  const client = async (): Promise<void> => {
    while (!over.signal.aborted) {
      try {
        const response = await fetch(url + path, { method: "POST", body });
        const { predictions } = (await response.json()) as { predictions: number[][] };
        answers.push({ status: response.status, first: predictions[0]![0]! });
      } catch (error) {
        failures.push(String((error as Error).cause ?? error));
        if (over.signal.aborted) return;
      }
    }
  };
  const running = Array.from({ length: clients }, client);
  const count = async (more: number): Promise<void> => {
    const until = answers.length + more;
    while (answers.length < until) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return { answers, failures, count, end: () => (over.abort(), Promise.all(running)) };
}

test("versions come and go under load, and every request gets the answer of one of them", async () => {
  const models = join(folder, "models");
  place(models, 1, "four");
  const server = await serve({ colors: models }, options);
  const clients = load(server.url, 4);
  await clients.count(20);
  place(models, 2, "one");
  expect(await server.reload()).toEqual({ loaded: ["colors/2"], removed: [], kept: ["colors/1"] });
  await clients.count(20);
  rmSync(join(models, "1"), { recursive: true });
  expect(await server.reload()).toEqual({ loaded: [], removed: ["colors/1"], kept: ["colors/2"] });
  await clients.count(20);
  // The same version with other weights.
  place(models, 2, "four");
  expect(await server.reload()).toEqual({ loaded: ["colors/2"], removed: ["colors/2"], kept: [] });
  await clients.count(20);
  await clients.end();
  expect(clients.failures).toEqual([]);
  const [four, one] = [colorScores(color, 4)[0]!, colorScores(color, 1)[0]!];
  const kinds = clients.answers.map(({ first }) =>
    Math.abs(first - four) < 1e-5 ? 4 : Math.abs(first - one) < 1e-5 ? 1 : first,
  );
  expect(clients.answers.every(({ status }) => status === 200)).toBe(true);
  expect(new Set(kinds)).toEqual(new Set([4, 1]));
  expect(kinds.at(-1)).toBe(4);
  const gone = await fetch(`${server.url}/v1/models/colors/versions/1:predict`, { method: "POST", body });
  expect([gone.status, await gone.json()]).toEqual([
    404,
    { error: "The model colors has no version 1: its versions are 2." },
  ]);
  await server.close();
});

test("versions of every kind of file: Keras, ONNX, tfjs, a run directory; a damaged SavedModel is refused", async () => {
  const models = join(folder, "kinds");
  const model = colorModel();
  await saveModel(model, join(models, "1", "net.keras"));
  await saveModel(model, join(models, "2", "net.onnx"));
  await saveModel(model, join(models, "3"), { format: "tfjs" });
  await saveModel(model, join(models, "4", "model"), { format: "tfjs" });
  model.dispose();
  const server = await serve({ colors: models }, options);
  for (const version of [1, 2, 3, 4]) {
    const answer = await fetch(`${server.url}/v1/models/colors/versions/${version}:predict`, { method: "POST", body });
    const { predictions } = (await answer.json()) as { predictions: number[][] };
    expect([version, predictions[0]![0]]).toEqual([version, expect.closeTo(colorScores(color)[0]!, 5)]);
  }
  mkdirSync(join(models, "5"));
  writeFileSync(join(models, "5", "saved_model.pb"), "");
  await expect(server.reload()).rejects.toThrow(/^The model colors, version 5, cannot be served: .*SavedModel/);
  await server.close();
});

test("a version that cannot be loaded changes nothing", async () => {
  const models = join(folder, "broken");
  place(models, 1, "four");
  const server = await serve({ colors: models }, options);
  place(models, 2, "one");
  writeFileSync(join(models, "2", "net.keras"), "no zip file");
  await expect(server.reload()).rejects.toThrow(/^The model colors, version 2, cannot be served: /);
  expect(server.models()).toMatchObject([{ name: "colors", version: 1 }]);
  expect((await fetch(`${server.url}/v1/models/colors:predict`, { method: "POST", body })).status).toBe(200);
  await server.close();
});

test("close answers what it accepted, and says it is not ready meanwhile", async () => {
  const model = colorModel();
  const log: LogEntry[] = [];
  const server = await serve({ colors: model }, { ...options, drainMs: 300, onLog: (entry) => log.push(entry) });
  const clients = load(server.url, 6);
  await clients.count(30);
  const closing = server.close();
  expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(503);
  await closing;
  await clients.end();
  const done = log.filter(({ event, path }) => event === "request" && path === "/v1/models/colors:predict");
  expect(done.every(({ status }) => status === 200)).toBe(true);
  expect(clients.answers).toHaveLength(done.length);
  // What the clients tried afterwards found nobody.
  expect(clients.failures.every((text) => /ECONNREFUSED|ECONNRESET|other side closed/.test(text))).toBe(true);
  model.dispose();
});

test.skipIf(engines[0] === undefined)(
  "a SavedModel without layers and an int8 network are served from their files",
  async () => {
    await installOpenvino();
    const model = colorModel();
    const saved = join(folder, "saved", "3");
    await saveModel(model, saved, { format: "savedmodel" });
    // Images of one color each, black and white among them.
    const images = Uint8Array.from({ length: 24 * 144 }, (_, i) => (Math.floor(i / 144) * 85 * (1 + (i % 3))) % 256);
    const { bytes } = await quantize(model, [{ data: images, shape: [24, 6, 8, 3] }], {
      runtime: "openvino",
      maxDrop: 1,
    });
    writeFileSync(join(folder, "int8.onnx"), bytes);
    model.dispose();
    const sources = { saved: join(folder, "saved"), int8: join(folder, "int8.onnx") };
    const server = await serve(sources, { port: 0, drainMs: 0, maxBatch: 4 });
    const [int8, graph] = server.models().toSorted((a, b) => a.name.localeCompare(b.name));
    expect([graph!.version, graph!.runtime]).toEqual([3, "tensorflow"]);
    expect(["openvino", "onnxruntime"]).toContain(int8!.runtime);
    for (const [name, digits] of [
      ["saved", 4],
      ["int8", 1],
    ] as const) {
      const response = await fetch(`${server.url}/v1/models/${name}:predict`, { method: "POST", body });
      const { predictions } = (await response.json()) as { predictions: number[][] };
      colorScores(color).forEach((score, i) => expect(predictions[0]![i]).toBeCloseTo(score, digits));
    }
    await server.close();
  },
);
