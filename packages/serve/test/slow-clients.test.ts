import { connect, type Socket } from "node:net";
import { setTimeout as after } from "node:timers/promises";
import { Hono } from "hono";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Environment } from "../src/http/exchange.ts";
import { listen, type Listening } from "../src/http/listen.ts";
import { wholeOptions } from "../src/serve-options.ts";

/** More than the buffers of both sockets hold. */
const large = 32 * 2 ** 20;
const timeoutMs = 300;

let listening: Listening;
beforeAll(async () => {
  const app = new Hono<Environment>();
  app.get("/", (exchange) => exchange.body(new Uint8Array(large)));
  app.post("/", async (exchange) => exchange.text(await exchange.req.text()));
  // Reading a body that is cut off fails.
  app.onError((_error, exchange) => exchange.text("", 500));
  listening = await listen(app, wholeOptions({ port: 0, timeoutMs }));
});
afterAll(() => listening.close());

function opened(): { readonly socket: Socket; readonly closed: Promise<unknown> } {
  const { hostname, port } = new URL(listening.url);
  const socket = connect(Number(port), hostname).on("error", () => {});
  return { socket, closed: new Promise((resolve) => socket.once("close", resolve)) };
}

/** Sends `start`, then a byte every 50 ms until the server closes: what it said. */
async function dripping(start: string): Promise<string> {
  const { socket, closed } = opened();
  let said = "";
  socket.on("data", (data) => (said += String(data)));
  socket.write(start);
  const timer = setInterval(() => socket.writable && socket.write("x"), 50);
  await closed;
  clearInterval(timer);
  return said;
}

test("a head that comes byte by byte gets 408", async () => {
  expect(await dripping("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")).toMatch(/^HTTP\/1\.1 408 /);
});

test("a body that comes byte by byte gets 408", async () => {
  expect(await dripping(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${large}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 408 /);
});

test.each([
  ["does not read", 6 * timeoutMs],
  ["reads a piece every 50 ms", 50],
])("a client that %s its answer is cut off", async (_what, pause) => {
  const { socket, closed } = opened();
  let received = 0;
  const whole = 6 * timeoutMs;
  const start = performance.now();
  socket.on("data", (data) => {
    received += data.length;
    if (performance.now() - start > whole) return;
    socket.pause();
    void after(pause).then(() => socket.resume());
  });
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await closed;
  expect(received).toBeGreaterThan(0);
  expect(received).toBeLessThan(large);
});
