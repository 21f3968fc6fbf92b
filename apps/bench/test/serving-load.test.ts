import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, askOnce, postRequest } from "../src/serving/load.ts";

const wait = 20;
const bodies: string[] = [];
const server = createServer((incoming, outgoing) => {
  let body = "";
  incoming.on("data", (data) => (body += String(data)));
  incoming.on("end", () => {
    bodies.push(`${incoming.method} ${incoming.url} ${incoming.headers["x-more"]} ${body}`);
    // In two pieces, the head by itself.
    outgoing.writeHead(incoming.url === "/wrong" ? 500 : 200, { "Content-Length": "6" });
    outgoing.flushHeaders();
    setTimeout(() => outgoing.end("answer"), wait);
  });
});
let port: number;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());

test("sends the request, and gives the body of the answer", async () => {
  const request = postRequest("/path", "text/plain", Buffer.from("hello"), ["X-More: yes"]);
  expect((await askOnce(port, request)).toString()).toBe("answer");
  expect(bodies.at(-1)).toBe("POST /path yes hello");
});

test("counts whole answers, each client one request at a time", async () => {
  const before = bodies.length;
  const request = postRequest("/path", "text/plain", Buffer.from("hello"));
  const seen = await ask({ port, request, connections: 3, seconds: 0.5 });
  expect(seen.answers).toBe(bodies.length - before);
  // Timers may be a millisecond early.
  expect(seen.p50).toBeGreaterThanOrEqual(wait - 1);
  expect(seen.p99).toBeGreaterThanOrEqual(seen.p50);
  expect(seen.rate).toBeLessThanOrEqual((3 * 1000) / (wait - 1));
});

test("an answer other than 200 ends it", async () => {
  const request = postRequest("/wrong", "text/plain", Buffer.from("hello"));
  await expect(ask({ port, request, connections: 1, seconds: 1 })).rejects.toThrow("A server answered HTTP/1.1 500");
});
