import { connect } from "node:net";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ModelServer, serve } from "../src/index.ts";
import { createRelay, type Relay } from "../src/processes/relay.ts";
import { colorModel, colorScores, filled, sumAndDifference } from "./color-model.ts";
import { mutant, randomFrom, type WireRequest } from "./mutants.ts";

/** `CONVKIT_REQUESTS=10000 CONVKIT_SEED=7` looks longer and elsewhere. */
const count = Number(process.env["CONVKIT_REQUESTS"] ?? 300);
const seed = Number(process.env["CONVKIT_SEED"] ?? 1);

let server: ModelServer;
/** The server itself, and the relay that stands before it with `resend`. */
let urls: readonly string[];
let relay: Relay;
const failures: string[] = [];
beforeAll(async () => {
  const runtime = (await useEngine(engines[0] ?? "wasm")).backend === "tensorflow" ? "tensorflow" : "wasm";
  const models = { colors: colorModel(), both: sumAndDifference() };
  const onLog = ({ event, error, stack }: { event: string; error?: unknown; stack?: unknown }) =>
    void (event === "failure" && failures.push(`${String(error)} ${String(stack)}`));
  const limits = { timeoutMs: 20_000, bodyLimit: 2 ** 20, drainMs: 0 };
  server = await serve(models, {
    ...limits,
    port: 0,
    runtime,
    maxBatch: 4,
    pixelLimit: 10_000,
    labels: { colors: { stable: 1 } },
    onLog,
  });
  relay = createRelay({ ...limits, host: "127.0.0.1", port: 0, token: undefined });
  relay.add(Number(new URL(server.url).port));
  urls = [server.url, await relay.listen()];
});
afterAll(async () => {
  await relay.close();
  await server.close();
});

async function validRequests(): Promise<WireRequest[]> {
  const json = (path: string, value: unknown): WireRequest => ({
    method: "POST",
    path,
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(value)),
  });
  const pixels = Buffer.from(Float32Array.from(filled([9, 8, 7]).flat(3)).buffer);
  const head = Buffer.from(
    JSON.stringify({
      inputs: [
        { name: "image", shape: [1, 6, 8, 3], datatype: "FP32", parameters: { binary_data_size: pixels.length } },
      ],
      parameters: { binary_data_output: true },
    }),
  );
  const image = sharp({ create: { width: 30, height: 20, channels: 3, background: "red" } });
  const pictures = [await image.png().toBuffer(), await image.jpeg().toBuffer(), await image.webp().toBuffer()];
  const part = (name: string, content: Buffer) => [
    Buffer.from(`--xyz\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\n`),
    content,
    Buffer.from("\r\n"),
  ];
  const form = Buffer.concat([...pictures.flatMap((each, i) => part(`${i}.png`, each)), Buffer.from("--xyz--\r\n")]);
  return [
    json("/v1/models/both:predict", { instances: [{ a: [1, 2, 3], b: [4, 5, 6] }] }),
    json("/v1/models/both/versions/1:predict", { inputs: { a: [[1, 2, 3]], b: [[4, 5, 6]] } }),
    json("/v1/models/colors:predict", { signature_name: "serving_default", instances: [filled([1, 2, 3])] }),
    json("/v2/models/both/infer", {
      id: "a",
      inputs: ["a", "b"].map((name) => ({ name, shape: [1, 3], datatype: "FP32", data: [1, 2, 3] })),
      outputs: [{ name: "sum", parameters: { binary_data: false } }],
    }),
    {
      method: "POST",
      path: "/v2/models/colors/infer",
      headers: { "inference-header-content-length": String(head.length) },
      body: Buffer.concat([head, pixels]),
    },
    json("/v2/models/both/infer", {
      model_name: "both",
      inputs: ["a", "b"].map((name) => ({ name, shape: [1, 3], datatype: "INT64", data: [1, 2, 3] })),
      outputs: [{ name: "sum", parameters: { classification: 2 } }],
    }),
    json("/v1/models/colors/labels/stable:predict", { instances: [{ b64: pictures[0]!.toString("base64") }] }),
    json("/v2/models/colors/infer", {
      inputs: [{ name: "image", shape: [1], datatype: "BYTES", data: [pictures[1]!.toString("base64")] }],
    }),
    {
      method: "POST",
      path: "/v2/models/colors/infer",
      headers: { "inference-header-content-length": "0" },
      body: pixels,
    },
    ...pictures.map((body) => ({
      method: "POST",
      path: "/classify/colors?top=2",
      headers: { "content-type": "image/png" },
      body,
    })),
    {
      method: "POST",
      path: "/classify/colors",
      headers: { "content-type": "multipart/form-data; boundary=xyz" },
      body: form,
    },
  ];
}

/** Sends a request over a socket of its own, and leaves where the rest of the body never comes: the status, the head and the body of the answer. */
function send(
  { method, path, headers, body }: WireRequest,
  url = server.url,
): Promise<{ status: number; head: string; body: Buffer }> {
  const { hostname, port } = new URL(url);
  const all = { host: "x", connection: "close", "content-length": String(body.length), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port: Number(port), host: hostname });
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    // The server may close before it has read all.
    socket.on("error", () => {});
    socket.on("close", () => {
      const interim = "HTTP/1.1 100 Continue\r\n\r\n";
      const said = Buffer.concat(chunks);
      const whole = said.toString("latin1").startsWith(interim) ? said.subarray(interim.length) : said;
      const end = whole.indexOf("\r\n\r\n");
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(whole.toString("latin1", 0, 20))?.[1]);
      resolve({ status, head: whole.toString("latin1", 0, end), body: whole.subarray(end + 4) });
    });
    socket.setTimeout(60_000, () => reject(new Error(`no answer to ${method} ${path}`)));
    socket.write(Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1"), body]));
    if (Number(all["content-length"]) > body.length) socket.end();
  });
}

const statuses = new Set([200, 400, 404, 405, 408, 413, 415, 417, 431]);

test(`${count} mutated requests get an answer or a sentence, and the server goes on`, async () => {
  const valid = await validRequests();
  for (const request of valid)
    for (const url of urls) expect([request.path, (await send(request, url)).status]).toEqual([request.path, 200]);
  const random = randomFrom(seed);
  const seen: Record<number, number> = {};
  const check = async (request: WireRequest, url = urls[0]): Promise<number> => {
    const { status, head, body } = await send(request, url);
    const about = `${request.method} ${request.path.slice(0, 200)} ${JSON.stringify(request.headers).slice(0, 300)} ${request.body.toString("latin1", 0, 300)}`;
    seen[status] = (seen[status] ?? 0) + 1;
    // A request that ends before its body does has no one left to answer.
    if (Number.isNaN(status) && request.headers["content-length"] !== undefined) return status;
    expect(statuses.has(status), `${status} for ${about}`).toBe(true);
    if (status === 200 || request.method === "HEAD" || !/content-type: application\/json/i.test(head)) return status;
    const { error } = JSON.parse(body.toString()) as { error: string };
    expect(error, about).toMatch(/^[^\n]{10,700}$/);
    return status;
  };
  /** The relay reads the body first, so that it may refuse a request for another reason than the server. */
  const checkBoth = async (request: WireRequest): Promise<void> => {
    const [own, relayed] = [await check(request), await check(request, urls[1])];
    expect(relayed === 200, `${own} and ${relayed} for ${request.method} ${request.path}`).toBe(own === 200);
  };
  for (let i = 0; i < count; i += 8)
    await Promise.all(
      Array.from({ length: Math.min(8, count - i) }, (_, each) =>
        each % 4 === 0 ? checkBoth(mutant(valid, random)) : check(mutant(valid, random)),
      ),
    );
  expect(failures).toEqual([]);
  expect(seen[400]).toBeGreaterThan(count / 10);
  const body = Buffer.from(JSON.stringify({ instances: [filled([200, 0, 0])] }));
  const answer = await send({ method: "POST", path: "/v1/models/colors:predict", headers: {}, body });
  const { predictions } = JSON.parse(answer.body.toString().replace(/^[^{]*|[^}]*$/g, "")) as {
    predictions: number[][];
  };
  colorScores([200, 0, 0]).forEach((score, i) => expect(predictions[0]![i]).toBeCloseTo(score, 5));
  if (process.env["CONVKIT_REQUESTS"] !== undefined) process.stderr.write(`statuses ${JSON.stringify(seen)}\n`);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('convkit_requests_inside{model="colors"} 0');
});
