import { once } from "node:events";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import sharp from "sharp";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type LogEntry, type ModelServer, serve, type ServeOptions } from "../src/index.ts";
import { colorModel, filled, sumAndDifference } from "./color-model.ts";

let runtime: "tensorflow" | "wasm";
const open: ModelServer[] = [];
beforeAll(async () => {
  runtime = (await useEngine(engines[0] ?? "wasm")).backend === "tensorflow" ? "tensorflow" : "wasm";
});
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function started(options: ServeOptions = {}): Promise<string> {
  const server = await serve({ both: sumAndDifference() }, { port: 0, runtime, maxBatch: 2, drainMs: 0, ...options });
  open.push(server);
  return server.url;
}

const body = JSON.stringify({ inputs: { a: [[1, 2, 3]], b: [[4, 5, 6]] } });
const ask = (url: string, init: RequestInit = {}) =>
  fetch(`${url}/v1/models/both:predict`, { method: "POST", body, ...init });

/** A request whose body does not end before `end` is called. */
function halfway(url: string, length = body.length): { end(): void; answer: Promise<string> } {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /v1/models/both:predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n${body.slice(0, 9)}`,
  );
  let said = "";
  socket.on("data", (data) => (said += String(data))).on("error", () => {});
  return { end: () => socket.write(body.slice(9)), answer: once(socket, "close").then(() => said) };
}

describe("limits", () => {
  test("classes of a model whose numbers are not finite are refused, not written as null", async () => {
    const server = await serve({ broken: colorModel(Number.NaN) }, { port: 0, runtime, maxBatch: 1, drainMs: 0 });
    open.push(server);
    const body = await sharp({ create: { width: 8, height: 6, channels: 3, background: "red" } })
      .png()
      .toBuffer();
    const answer = await fetch(`${server.url}/classify/broken`, { method: "POST", body: new Uint8Array(body) });
    const error = "The model's output has values that are not finite, which JSON cannot hold.";
    expect([answer.status, await answer.json()]).toEqual([500, { error }]);
  });

  test("more requests than the queue takes get 503, those inside are answered", async () => {
    const url = await started({ queue: 2 });
    const inside = [halfway(url), halfway(url)];
    let refused = await ask(url);
    // Until both heads have come in.
    while (refused.status === 200) refused = await ask(url);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await refused.json()).toEqual({ error: "The model both has 2 requests already: try again later." });
    for (const { end } of inside) end();
    for (const { answer } of inside) expect(await answer).toContain('"sum":[[5,7,9]]');
    expect((await ask(url)).status).toBe(200);
  });

  test("a body that does not come in time gets 408, and the place is free again", async () => {
    const url = await started({ queue: 1, timeoutMs: 300 });
    const { answer } = halfway(url);
    expect(await answer).toMatch(/^HTTP\/1\.1 408 /);
    let response = await ask(url);
    while (response.status !== 200) response = await ask(url);
    expect(response.status).toBe(200);
  });

  test("an answer that does not come in time is a 504", async () => {
    const url = await started({ maxWaitMs: 600_000, timeoutMs: 300 });
    const response = await ask(url);
    expect([response.status, await response.json()]).toEqual([
      504,
      { error: "The answer took more than 300 milliseconds." },
    ]);
  });

  test("a body above the limit is refused: by its length, by its bytes, and by what it unpacks to", async () => {
    const url = await started({ bodyLimit: 1000 });
    const large = "x".repeat(2000);
    const chunks = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 10; i++) controller.enqueue(new TextEncoder().encode(large));
        controller.close();
      },
    });
    const requests: RequestInit[] = [
      { body: large },
      { body: chunks, duplex: "half" } as RequestInit,
      { body: new Uint8Array(gzipSync(large)), headers: { "Content-Encoding": "gzip" } },
    ];
    for (const request of requests) {
      const response = await ask(url, request);
      expect([response.status, await response.json()]).toEqual([
        413,
        { error: "The body is larger than 1000 bytes, the most that this server takes." },
      ]);
    }
    expect((await ask(url)).status).toBe(200);
  });

  test("an image that declares more pixels than the limit is refused before it is decoded", async () => {
    const server = await serve(
      { colors: colorModel() },
      { port: 0, runtime, maxBatch: 1, drainMs: 0, pixelLimit: 1000 },
    );
    open.push(server);
    const { default: sharp } = await import("sharp");
    const png = await sharp({ create: { width: 40, height: 30, channels: 3, background: "red" } })
      .png()
      .toBuffer();
    const response = await fetch(`${server.url}/classify/colors`, { method: "POST", body: new Uint8Array(png) });
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: expect.stringContaining("it says it is 30x40, which is more than 1000 pixels") },
    ]);
  });
});

describe("token", () => {
  test("all but health asks for it", async () => {
    const url = await started({ token: "s3cret" });
    for (const headers of [{}, { Authorization: "Bearer wrong" }, { Authorization: "s3cret" }] as Record<
      string,
      string
    >[]) {
      for (const path of ["/v1/models/both", "/metrics", "/", "/nothing"]) {
        const response = await fetch(url + path, { headers });
        expect([path, response.status, response.headers.get("www-authenticate")]).toEqual([path, 401, "Bearer"]);
      }
    }
    expect((await fetch(`${url}/v2/health/ready`)).status).toBe(200);
    const headers = { Authorization: "Bearer s3cret" };
    expect((await ask(url, { headers })).status).toBe(200);
    const reload = await fetch(`${url}/reload`, { method: "POST", headers });
    expect(await reload.json()).toEqual({ loaded: [], removed: [], kept: ["both/1"] });
  });

  test("a wide address without a token is warned of", async () => {
    const log: LogEntry[] = [];
    await started({ host: "0.0.0.0", onLog: (entry) => log.push(entry) });
    await started({ host: "0.0.0.0", token: "x", onLog: (entry) => log.push(entry) });
    await started({ onLog: (entry) => log.push(entry) });
    const warnings = log.filter(({ level }) => level === "warning");
    expect(warnings).toMatchObject([{ event: "open", text: expect.stringContaining("Whoever reaches 0.0.0.0") }]);
  });
});

describe("a start that fails", () => {
  test("says what is wrong", async () => {
    const url = await started();
    const port = Number(new URL(url).port);
    const model = sumAndDifference();
    await expect(serve({ both: model }, { port, runtime })).rejects.toThrow(
      `Cannot listen at 127.0.0.1:${port}: another program does already`,
    );
    await expect(serve({ gone: "/no/such/model.keras" }, { port: 0, runtime })).rejects.toThrow(
      /^The model gone, version 1, cannot be served: /,
    );
    await expect(serve({ "a/b": model })).rejects.toThrow(
      'expected names of letters, digits, ".", "-" and "_", got "a/b"',
    );
    await expect(serve({})).rejects.toThrow("expected models by name, got {}");
    await expect(serve({ both: model }, { maxbatch: 3 } as never)).rejects.toThrow('Did you mean "maxBatch"?');
    await expect(serve({ both: model }, { queue: 0 })).rejects.toThrow(
      "expected queue to be a whole number from 1, got 0",
    );
    model.dispose();
  });
});

test("the answer names the row that is wrong", async () => {
  const url = await started();
  const cases: [unknown, RegExp][] = [
    [{ instances: [] }, /expected a list with one value or more, got \[\]/],
    [{ instances: [{ a: [1, 2, 3] }] }, /instances\[0\]: expected the input b, got none/],
    [
      { instances: [{ a: [1, 2, 3], b: [1, 2, 3] }, 5] },
      /instances\[1\]: expected an object, as the first one is, got 5/,
    ],
    [{ inputs: { a: [[1, 2]], b: [[1, 2]] } }, /The input a has the shape anyx3, with one row or more; got 1x2/],
    [{ inputs: { a: [[1, 2, 3]], b: [[1, 2, 3], [4, 5, 6]] } }, /need as many rows each, got 1, 2/], // prettier-ignore
    [{ inputs: { a: [[1, 2, 1e39]], b: [[1, 2, 3]] } }, /inputs\.a\[2\]: expected a finite float32 number, got 1e\+39/],
    [{ inputs: { a: [[1, 2, null]], b: [[1, 2, 3]] } }, /expected a finite float32 number, got null/],
    [{ instances: [filled([1, 2, 3])] }, /expected an object with the inputs a, b/],
    [{ instances: [1], inputs: [1] }, /expected either instances or inputs/],
    [{ instance: [1] }, /expected signature_name, instances, inputs, got "instance"/],
    [{ signature_name: "other", instances: [1] }, /expected the signature serving_default, got "other"/],
    [[1], /expected a JSON object, got an array/],
  ];
  for (const [wrong, expected] of cases) {
    const response = await ask(url, { body: JSON.stringify(wrong) });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: string }).error).toMatch(expected);
  }
  const deep = `{"inputs":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  const response = await ask(url, { body: `{"inputs":{"a":${deep.slice(10, -1)},"b":1}}` });
  expect(await response.json()).toEqual({ error: "inputs.a: expected at most 8 levels of arrays, got more." });
  const wrongType = await ask(url, { headers: { "Content-Type": "image/png" } });
  expect([wrongType.status, await wrongType.json()]).toEqual([
    415,
    { error: 'Content-Type: expected application/json, got "image/png".' },
  ]);
});
