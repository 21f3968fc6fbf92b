import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ModelServer, serve } from "../src/index.ts";
import { colorModel, colorScores, sumAndDifference } from "./color-model.ts";

/** What the specifications of both protocols say, sentence by sentence, and the README does not repeat. */

let server: ModelServer;
beforeAll(async () => {
  const runtime = (await useEngine(engines[0] ?? "wasm")).backend === "tensorflow" ? "tensorflow" : "wasm";
  server = await serve(
    { colors: colorModel(), both: sumAndDifference() },
    { port: 0, runtime, maxBatch: 4, drainMs: 0, labels: { colors: { stable: 1 } } },
  );
});
afterAll(() => server.close());

const get = (path: string) => fetch(server.url + path);
async function post(path: string, body: object | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const bytes = body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(server.url + path, { method: "POST", headers, body: bytes });
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}
const json = ({ bytes }: { readonly bytes: Buffer }) => JSON.parse(bytes.toString()) as Record<string, any>;

const png = (color: readonly number[]) =>
  sharp({ create: { width: 31, height: 20, channels: 3, background: { r: color[0]!, g: color[1]!, b: color[2]! } } })
    .png()
    .toBuffer();
const red = [250, 10, 20];
const blue = [5, 30, 200];

function close(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5);
}

describe("TensorFlow Serving's REST API", () => {
  test("base64 values of an image, in rows, in named rows, and in columns", async () => {
    const files = await Promise.all([red, blue].map(async (color) => ({ b64: (await png(color)).toString("base64") })));
    const rows = json(await post("/v1/models/colors:predict", { instances: files }))["predictions"];
    const named = json(await post("/v1/models/colors:predict", { instances: files.map((image) => ({ image })) }));
    const columns = json(await post("/v1/models/colors:predict", { inputs: { image: files } }))["outputs"];
    for (const found of [rows, named["predictions"], columns]) {
      close(found[0], colorScores(red));
      close(found[1], colorScores(blue));
    }
  });

  test.each([
    [{ instances: [{ b64: "no base64" }] }, /instances\[0\]\.b64: expected bytes in base64, got "no base64"/],
    [{ instances: [{ b64: "aGVsbG8=" }] }, /image/],
    [{ instances: [{ b64: "aGVsbG8=" }, 5] }, /instances\[1\]: expected \{"b64": …\}, as the first one is, got 5/],
    [{ inputs: { b64: "aGVsbG8=" } }, /expected a list of images in base64/],
    [{ instances: Array.from({ length: 65 }, () => ({ b64: "aGVsbG8=" })) }, /expected at most 64 images, got 65/],
  ])("refuses %j", async (body, message) => {
    const answer = await post("/v1/models/colors:predict", body);
    expect(answer.status).toBe(400);
    expect(json(answer)["error"]).toMatch(message);
  });

  test("base64 for an input that is no image", async () => {
    const answer = await post("/v1/models/both:predict", { instances: [{ a: { b64: "aGVsbG8=" }, b: [1, 2, 3] }] });
    expect([answer.status, json(answer)["error"]]).toEqual([
      400,
      'The input "a" takes no images of 1 or 3 channels: send tensors.',
    ]);
  });

  test("labels stand for versions in status, metadata and calls", async () => {
    const { model_version_status } = (await (await get("/v1/models/colors/labels/stable")).json()) as any;
    expect(model_version_status[0].version).toBe("1");
    const { model_spec } = (await (await get("/v1/models/colors/labels/stable/metadata")).json()) as any;
    expect(model_spec.version).toBe("1");
    const instances = [{ b64: (await png(red)).toString("base64") }];
    close(
      json(await post("/v1/models/colors/labels/stable:predict", { instances }))["predictions"][0],
      colorScores(red),
    );
    const missing = await get("/v1/models/colors/labels/canary");
    expect([missing.status, await missing.json()]).toEqual([404, { error: 'The model colors has no label "canary".' }]);
  });

  test("a label of a version that is not there does not start", async () => {
    const model = sumAndDifference();
    const labels = { both: { stable: 2 } };
    await expect(serve({ both: model }, { port: 0, labels, drainMs: 0 })).rejects.toThrow(
      "The label stable of the model both stands for version 2: its versions are 1.",
    );
    model.dispose();
  });
});

/** Little-endian bytes of 1, 2, 3 in each datatype, by the languages' own arrays or by hand. */
const oneTwoThree: readonly (readonly [string, Uint8Array])[] = [
  ["UINT8", Uint8Array.of(1, 2, 3)],
  ["UINT16", bytesOf(Uint16Array.of(1, 2, 3))],
  ["UINT32", bytesOf(Uint32Array.of(1, 2, 3))],
  ["UINT64", bytesOf(BigUint64Array.of(1n, 2n, 3n))],
  ["INT8", bytesOf(Int8Array.of(1, 2, 3))],
  ["INT16", bytesOf(Int16Array.of(1, 2, 3))],
  ["INT32", bytesOf(Int32Array.of(1, 2, 3))],
  ["INT64", bytesOf(BigInt64Array.of(1n, 2n, 3n))],
  // 1, 2 and 3 in binary16: 0x3c00, 0x4000, 0x4200; in bfloat16 the upper halves of 0x3f800000, 0x40000000, 0x40400000.
  ["FP16", Uint8Array.of(0x00, 0x3c, 0x00, 0x40, 0x00, 0x42)],
  ["BF16", Uint8Array.of(0x80, 0x3f, 0x00, 0x40, 0x40, 0x40)],
  ["FP32", bytesOf(Float32Array.of(1, 2, 3))],
  ["FP64", bytesOf(Float64Array.of(1, 2, 3))],
];

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A request with binary tensors behind the JSON. */
function infer(model: string, head: object, ...tails: Uint8Array[]) {
  const start = Buffer.from(JSON.stringify(head));
  return post(`/v2/models/${model}/infer`, new Uint8Array(Buffer.concat([start, ...tails])), {
    "Inference-Header-Content-Length": String(start.length),
  });
}

const tensor = (name: string, datatype: string, binary_data_size: number) => ({
  name,
  datatype,
  shape: [1, 3],
  parameters: { binary_data_size },
});

describe("Open Inference Protocol", () => {
  test.each(oneTwoThree)("%s tensors, binary", async (datatype, bytes) => {
    const inputs = [tensor("a", datatype, bytes.length), tensor("b", datatype, bytes.length)];
    const answer = json(await infer("both", { inputs, outputs: [{ name: "sum" }] }, bytes, bytes));
    expect(answer["outputs"]).toEqual([{ name: "sum", datatype: "FP32", shape: [1, 3], data: [2, 4, 6] }]);
  });

  test("binary16's signs, subnormal numbers and largest value", async () => {
    // -2, 2^-24 and 65504; zeros.
    const a = Uint8Array.of(0x00, 0xc0, 0x01, 0x00, 0xff, 0x7b);
    const inputs = [tensor("a", "FP16", 6), tensor("b", "FP16", 6)];
    const answer = json(await infer("both", { inputs, outputs: [{ name: "sum" }] }, a, new Uint8Array(6)));
    expect(answer["outputs"][0].data).toEqual([-2, 2 ** -24, 65_504]);
  });

  test("truth values are 1 and 0, in JSON and in bytes", async () => {
    const inputs = [{ name: "a", datatype: "BOOL", shape: [1, 3], data: [true, false, true] }, tensor("b", "BOOL", 3)];
    const answer = json(await infer("both", { inputs }, Uint8Array.of(0, 0, 1)));
    expect(answer["outputs"][0].data).toEqual([1, 0, 2]);
  });

  test.each([
    ["INT8", [1, 2, 128], /data\[2\]: expected a whole number from -128 to 127, got 128/],
    ["UINT16", [1, 2, 0.5], /data\[2\]: expected a whole number from 0 to 65535, got 0.5/],
    ["INT64", [1, 2, 16_777_217], /the model computes in float32, which does not hold 16777217/],
    ["BOOL", [1, 0, 1], /data\[0\]: expected true or false, got 1/],
    ["FP32", [1, 2, "3"], /data\[2\]: expected a number, got "3"/],
    ["FP64", [1, 2, 1e39], /data\[2\]: expected a finite float32 number, got 1e\+39/],
    ["FP16", [1, 2, 3], /expected FP16 and BF16 as binary tensors, got JSON/],
    ["STRING", [1, 2, 3], /expected BOOL, UINT8, .*FP64 or BYTES, got "STRING"/],
  ])("refuses %s of %j", async (datatype, data, message) => {
    const inputs = ["a", "b"].map((name) => ({ name, datatype, shape: [1, 3], data }));
    const answer = await post("/v2/models/both/infer", { inputs });
    expect(answer.status).toBe(400);
    expect(json(answer)["error"]).toMatch(message);
  });

  test("the body may name the model and its version, which must be the path's", async () => {
    const inputs = ["a", "b"].map((name) => ({ name, datatype: "FP32", shape: [1, 3], data: [1, 2, 3] }));
    const named = await post("/v2/models/both/infer", { model_name: "both", model_version: "1", inputs });
    expect(json(named)["outputs"][0].data).toEqual([2, 4, 6]);
    const other = await post("/v2/models/both/infer", { model_name: "colors", inputs });
    expect([other.status, json(other)["error"]]).toEqual([
      400,
      'model_name: expected "both", as the path says, got "colors".',
    ]);
  });

  test("outputs come in the order that is asked for, binary or not by their own parameter before the request's", async () => {
    const inputs = ["a", "b"].map((name) => ({ name, datatype: "FP32", shape: [1, 3], data: [1, 2, 3] }));
    const { bytes, headers } = await post("/v2/models/both/infer", {
      inputs,
      parameters: { binary_data_output: true },
      outputs: [{ name: "difference", parameters: { binary_data: false } }, { name: "sum" }],
    });
    const head = Number(headers.get("inference-header-content-length"));
    const { outputs } = JSON.parse(bytes.subarray(0, head).toString()) as { outputs: unknown };
    expect(outputs).toEqual([
      { name: "difference", datatype: "FP32", shape: [1, 3], data: [0, 0, 0] },
      { name: "sum", datatype: "FP32", shape: [1, 3], parameters: { binary_data_size: 12 } },
    ]);
    expect([0, 4, 8].map((at) => bytes.readFloatLE(head + at))).toEqual([2, 4, 6]);
  });

  test("a body without JSON is the only input, and the answer is binary", async () => {
    const pixels = Float32Array.from([red, blue].flatMap((color) => Array.from({ length: 48 }, () => color)).flat());
    const answer = await post("/v2/models/colors/infer", bytesOf(pixels) as Uint8Array<ArrayBuffer>, {
      "Inference-Header-Content-Length": "0",
    });
    const head = Number(answer.headers.get("inference-header-content-length"));
    expect(JSON.parse(answer.bytes.subarray(0, head).toString()).outputs).toMatchObject([{ shape: [2, 3] }]);
    const scores = Array.from({ length: 6 }, (_, i) => answer.bytes.readFloatLE(head + 4 * i));
    close(scores, [...colorScores(red), ...colorScores(blue)]);
    const cut = await post("/v2/models/colors/infer", new Uint8Array(10), { "Inference-Header-Content-Length": "0" });
    expect([cut.status, json(cut)["error"]]).toEqual([400, "Expected rows of 576 bytes (float32 of 6x8x3), got 10."]);
    const several = await post("/v2/models/both/infer", new Uint8Array(12), { "Inference-Header-Content-Length": "0" });
    expect(several.status).toBe(400);
  });

  test("image files as BYTES, in JSON as base64 and behind it with their lengths", async () => {
    const files = await Promise.all([red, blue].map(png));
    const lengths = files.map((file) => bytesOf(Uint32Array.of(file.length)));
    const tail = new Uint8Array(Buffer.concat(files.flatMap((file, i) => [lengths[i]!, file])));
    const image = { name: "image", datatype: "BYTES" };
    const inputs = [{ ...image, shape: [2, 1], parameters: { binary_data_size: tail.length } }];
    const data = files.map((file) => file.toString("base64"));
    for (const answer of [
      await infer("colors", { inputs }, tail),
      await post("/v2/models/colors/infer", { inputs: [{ ...image, shape: [2], data }] }),
    ])
      close(json(answer)["outputs"][0].data, [...colorScores(red), ...colorScores(blue)]);
    const cut = await infer("colors", { inputs: [{ ...inputs[0], parameters: { binary_data_size: 9 } }] }, tail.subarray(0, 9)); // prettier-ignore
    expect([cut.status, json(cut)["error"]]).toEqual([
      400,
      "inputs[0]: expected 2 elements of BYTES with their lengths, got other bytes.",
    ]);
  });

  test("classification gives value, index and label of the largest outputs", async () => {
    const inputs = [{ name: "image", datatype: "BYTES", shape: [1], data: [(await png(blue)).toString("base64")] }];
    const outputs = [{ name: "color", parameters: { classification: 2 } }];
    const scores = colorScores(blue).map((score) => score.toFixed(6));
    expect(json(await post("/v2/models/colors/infer", { inputs, outputs }))["outputs"]).toEqual([
      { name: "color", datatype: "BYTES", shape: [1, 2], data: [`${scores[2]}:2:blue`, `${scores[1]}:1:green`] },
    ]);
  });

  test("a slash at the end changes nothing", async () => {
    expect((await get("/v2/")).status).toBe(200);
    expect((await get("/v2/models/both/")).status).toBe(200);
  });
});
