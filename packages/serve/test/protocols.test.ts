import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { Validator } from "@seriousme/openapi-schema-validator";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openApi } from "../src/http/openapi.ts";
import { type LogEntry, type ModelServer, serve } from "../src/index.ts";
import { colorModel, colors, colorScores, filled, sumAndDifference } from "./color-model.ts";

const red = [250, 10, 20];
const blue = [5, 30, 200];
const log: LogEntry[] = [];
let server: ModelServer;

beforeAll(async () => {
  const engine = await useEngine(engines[0] ?? "wasm");
  const runtime = engine.backend === "tensorflow" ? "tensorflow" : "wasm";
  const models = { colors: colorModel(), both: sumAndDifference() };
  const labels = { colors: { stable: 1 } };
  server = await serve(models, {
    port: 0,
    labels,
    runtime,
    maxBatch: 4,
    drainMs: 0,
    onLog: (entry) => log.push(entry),
  });
});
afterAll(() => server.close());

const get = (path: string) => fetch(server.url + path);
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(server.url + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: body instanceof Uint8Array || body instanceof FormData ? (body as BodyInit) : JSON.stringify(body),
  });
const bodyOf = async (response: Response) => (await response.json()) as Record<string, any>;

function close(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5);
}

/** A picture of one color, another size than the model's. */
const picture = (color: readonly number[], format: "png" | "jpeg" = "png") =>
  sharp({ create: { width: 31, height: 20, channels: 3, background: { r: color[0]!, g: color[1]!, b: color[2]! } } })
    .toFormat(format)
    .toBuffer();

describe("TensorFlow Serving's REST API", () => {
  test("predicts rows", async () => {
    const response = await post("/v1/models/colors:predict", {
      signature_name: "serving_default",
      instances: [filled(red), filled(blue)],
    });
    expect(response.status).toBe(200);
    const { predictions } = await bodyOf(response);
    close(predictions[0], colorScores(red));
    close(predictions[1], colorScores(blue));
  });

  test("predicts rows of named inputs, more than fit into one batch", async () => {
    const instances = Array.from({ length: 11 }, (_, i) => ({ a: [i, 2, 3], b: [1, 1, i] }));
    const { predictions } = await bodyOf(await post("/v1/models/both/versions/1:predict", { instances }));
    expect(predictions).toEqual(
      instances.map(({ a, b }) => ({ sum: a.map((x, i) => x + b[i]!), difference: a.map((x, i) => x - b[i]!) })),
    );
  });

  test("predicts columns", async () => {
    const single = await bodyOf(await post("/v1/models/colors:predict", { inputs: [filled(red)] }));
    close(single["outputs"][0], colorScores(red));
    const named = await bodyOf(await post("/v1/models/both:predict", { inputs: { a: [[1, 2, 3]], b: [[4, 5, 6]] } }));
    expect(named).toEqual({ outputs: { sum: [[5, 7, 9]], difference: [[-3, -3, -3]] } });
  });

  test("takes the body of `curl -d`, which says it is a form, and a compressed one", async () => {
    const body = { instances: [filled(red)] };
    const form = await post("/v1/models/colors:predict", body, { "Content-Type": "application/x-www-form-urlencoded" });
    close((await bodyOf(form))["predictions"][0], colorScores(red));
    const { gzipSync } = await import("node:zlib");
    const zipped = new Uint8Array(gzipSync(JSON.stringify(body)));
    const response = await post("/v1/models/colors:predict", zipped, { "Content-Encoding": "gzip" });
    close((await bodyOf(response))["predictions"][0], colorScores(red));
  });

  test("large JSON, which is parsed in a thread, gives the same numbers", async () => {
    const instances = Array.from({ length: 100 }, (_, i) => filled([i, 255 - i, 2 * i]));
    const { predictions } = await bodyOf(await post("/v1/models/colors:predict", { instances }));
    for (const [i, row] of predictions.entries()) close(row, colorScores([i, 255 - i, 2 * i]));
    const wrong = await post("/v1/models/colors:predict", { instances: [...instances, filled([1, 2])] });
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      { error: expect.stringContaining("expected arrays of equal lengths (101x6x8x3), got an array of 2 at level 4") },
    ]);
  });

  test("tells state and metadata", async () => {
    expect(await bodyOf(await get("/v1/models/colors"))).toEqual({
      model_version_status: [{ version: "1", state: "AVAILABLE", status: { error_code: "OK", error_message: "" } }],
    });
    expect(await bodyOf(await get("/v1/models"))).toEqual({ models: ["colors", "both"] });
    const { model_spec, metadata } = await bodyOf(await get("/v1/models/colors/versions/1/metadata"));
    expect(model_spec).toEqual({ name: "colors", signature_name: "", version: "1" });
    const { inputs, outputs, method_name } = metadata.signature_def.signature_def.serving_default;
    expect(method_name).toBe("tensorflow/serving/predict");
    expect(inputs.image).toEqual({
      dtype: "DT_FLOAT",
      tensor_shape: { dim: ["-1", "6", "8", "3"].map((size) => ({ size, name: "" })), unknown_rank: false },
      name: "image",
    });
    expect(Object.keys(outputs)).toEqual(["color"]);
  });
});

describe("Open Inference Protocol", () => {
  test("tells health and metadata", async () => {
    expect((await get("/v2/health/live")).status).toBe(200);
    expect((await get("/v2/health/ready")).status).toBe(200);
    expect((await get("/v2/models/both/ready")).status).toBe(200);
    expect(await bodyOf(await get("/v2"))).toMatchObject({
      name: "convkit",
      extensions: ["binary_tensor_data", "classification"],
    });
    const { versions, inputs, outputs } = await bodyOf(await get("/v2/models/both"));
    expect(versions).toEqual(["1"]);
    expect(inputs).toEqual(["a", "b"].map((name) => ({ name, datatype: "FP32", shape: [-1, 3] })));
    expect(outputs).toEqual(["sum", "difference"].map((name) => ({ name, datatype: "FP32", shape: [-1, 3] })));
  });

  test("infers from JSON, nested or flat, the outputs that are asked for", async () => {
    const inputs = [
      { name: "b", shape: [2, 3], datatype: "FP32", data: [1, 1, 1, 2, 2, 2] },
      { name: "a", shape: [2, 3], datatype: "UINT8", data: [[7, 8, 9], [1, 2, 3]] }, // prettier-ignore
    ];
    const answer = await bodyOf(
      await post("/v2/models/both/infer", { id: "x7", inputs, outputs: [{ name: "difference" }] }),
    );
    expect(answer).toEqual({
      model_name: "both",
      model_version: "1",
      id: "x7",
      outputs: [{ name: "difference", datatype: "FP32", shape: [2, 3], data: [6, 7, 8, -1, 0, 1] }],
    });
  });

  test("infers from binary tensors to binary tensors", async () => {
    const pixels = Float32Array.from([filled(red), filled(blue)].flat(3));
    const parameters = { binary_data_size: pixels.byteLength };
    const json = Buffer.from(
      JSON.stringify({
        inputs: [{ name: "image", shape: [2, 6, 8, 3], datatype: "FP32", parameters }],
        outputs: [{ name: "color", parameters: { binary_data: true } }],
      }),
    );
    const body = new Uint8Array(Buffer.concat([json, Buffer.from(pixels.buffer)]));
    const response = await post("/v2/models/colors/versions/1/infer", body, {
      "Content-Type": "application/octet-stream",
      "Inference-Header-Content-Length": String(json.length),
    });
    expect(response.status).toBe(200);
    const bytes = Buffer.from(await response.arrayBuffer());
    const head = Number(response.headers.get("inference-header-content-length"));
    const { outputs } = JSON.parse(bytes.subarray(0, head).toString()) as { outputs: unknown };
    expect(outputs).toEqual([{ name: "color", datatype: "FP32", shape: [2, 3], parameters: { binary_data_size: 24 } }]);
    const scores = Array.from({ length: 6 }, (_, i) => bytes.readFloatLE(head + 4 * i));
    close(scores, [...colorScores(red), ...colorScores(blue)]);
  });
});

describe("images", () => {
  test("classifies the bytes of an image", async () => {
    const image = new Uint8Array(await picture(blue));
    const response = await post("/classify/colors?top=2", image, { "Content-Type": "image/png" });
    const { model, version, predictions } = await bodyOf(response);
    expect([model, version]).toEqual(["colors", 1]);
    const scores = colorScores(blue);
    expect(predictions.map(({ label }: { label: string }) => label)).toEqual(["blue", "green"]);
    expect(predictions[0].probability).toBeCloseTo(scores[2]!, 5);
    expect(predictions[0].percent).toBe(`${(100 * scores[2]!).toFixed(2)} %`);
  });

  test("classifies several images of a form", async () => {
    const form = new FormData();
    for (const [name, color] of Object.entries({ r: red, b: blue }))
      form.append("images", new Blob([new Uint8Array(await picture(color, "jpeg"))]), `${name}.jpg`);
    const response = await fetch(`${server.url}/classify/colors?top=1`, { method: "POST", body: form });
    const { images } = await bodyOf(response);
    const found = images.map(({ name, predictions }: any) => [name, predictions.length, predictions[0].label]);
    expect(found).toEqual([["r.jpg", 1, colors[0]], ["b.jpg", 1, colors[2]]]); // prettier-ignore
  });
});

describe("operations", () => {
  test("the OpenAPI description is valid", async () => {
    const served = await bodyOf(await get("/openapi.json"));
    expect(openApi(false)).toEqual(served);
    // With a token there is the same and more.
    const validator = new Validator();
    const whole = openApi(true) as Record<string, unknown>;
    const { valid, errors } = await validator.validate(whole);
    expect([valid, errors]).toEqual([true, undefined]);
    const wrong = await validator.validate({ ...whole, paths: { "/": { get: { responses: 1 } } } });
    expect(wrong.valid).toBe(false);
  });

  test("every path of the OpenAPI description exists", async () => {
    const { paths } = (await bodyOf(await get("/openapi.json"))) as { paths: Record<string, object> };
    expect(Object.keys(paths).length).toBeGreaterThan(15);
    for (const [path, methods] of Object.entries(paths)) {
      const real = path.replace("{name}", "colors").replace("{version}", "1").replace("{label}", "stable");
      for (const method of Object.keys(methods)) {
        const { status } = await fetch(server.url + real, { method: method.toUpperCase() });
        // An empty body is a 400; a reload without a token a 403.
        expect([path, status]).toEqual([path, method === "get" ? 200 : path === "/reload" ? 403 : 400]);
      }
    }
  });

  test("the page lists the models, and runs no script", async () => {
    const response = await get("/");
    const text = await response.text();
    expect(text).toContain("<td>colors</td><td>1</td><td>image any × 6 × 8 × 3</td>");
    expect(text).toContain(`${server.url}/classify/colors`);
    expect(text).not.toContain("<script");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  test("counts requests and batches, and logs each request", async () => {
    const before = log.length;
    await post("/v1/models/both:predict", { inputs: { a: [[1, 2, 3]], b: [[4, 5, 6]] } });
    await get("/v1/models/none");
    const text = await (await get("/metrics")).text();
    const count = (line: RegExp) => Number(line.exec(text)?.[1]);
    const asked = log.filter(
      ({ event, model, status, protocol }) =>
        event === "request" && model === "both" && status === 200 && protocol === "tensorflow-serving",
    );
    expect(count(/convkit_requests_total\{protocol="tensorflow-serving",model="both",status="200"\} (\d+)/)).toBe(
      asked.length,
    );
    expect(text).toContain('convkit_requests_inside{model="both"} 0');
    // Names that clients make up are no labels.
    expect(text).not.toContain("none");
    expect(log.slice(before, before + 2)).toMatchObject([
      {
        level: "info",
        event: "request",
        method: "POST",
        path: "/v1/models/both:predict",
        model: "both",
        version: 1,
        status: 200,
      },
      { level: "info", status: 404, error: expect.stringContaining('There is no model "none"') },
    ]);
  });
});
