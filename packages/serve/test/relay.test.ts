import { createServer, type IncomingHttpHeaders, request, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createRelay, type Relay } from "../src/processes/relay.ts";

const options = { host: "127.0.0.1", port: 0, token: undefined, timeoutMs: 20_000, bodyLimit: 1000, drainMs: 0 };
const servers: Server[] = [];
let relay: Relay;

afterEach(async () => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
  await relay.close();
});

async function portOf(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** A server that reads a request, answers half of it, and ends the connection, as one that is killed. */
const killed =
  (seen: string[]): RequestListener =>
  (incoming, outgoing) => {
    incoming.resume().once("end", () => {
      seen.push(incoming.url!);
      outgoing.writeHead(200, { "Content-Length": 10 });
      outgoing.write("half", () => incoming.socket.destroy());
    });
  };

const echo: RequestListener = (incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.once("end", () => {
    outgoing.writeHead(201, { "X-Model": "digits", "Content-Type": incoming.headers["content-type"] ?? "text/plain" });
    outgoing.end(`${incoming.method} ${incoming.url} ${Buffer.concat(chunks).toString()}`);
  });
};

test("a request whose server ends goes whole to another one", async () => {
  relay = createRelay(options);
  const seen: string[] = [];
  relay.add(await portOf(killed(seen)));
  relay.add(await portOf(echo));
  const answer = await fetch(`${await relay.listen()}/classify/digits?top=3`, {
    method: "POST",
    body: "pixels",
    headers: { "Content-Type": "image/png" },
  });
  expect(seen).toEqual(["/classify/digits?top=3"]);
  expect(answer.status).toBe(201);
  expect(answer.headers.get("x-model")).toBe("digits");
  expect(answer.headers.get("content-type")).toBe("image/png");
  expect(await answer.text()).toBe("POST /classify/digits?top=3 pixels");
});

test("a request that ends two servers goes to no third, and a reload to no second", async () => {
  relay = createRelay(options);
  const seen: string[] = [];
  for (let count = 0; count < 3; count++) relay.add(await portOf(killed(seen)));
  const url = await relay.listen();
  for (const path of ["/classify/digits", "/reload"]) {
    const answer = await fetch(url + path, { method: "POST", body: "pixels" });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(await answer.json()).toEqual({ error: expect.stringContaining("ended: try again later") });
  }
  expect(seen).toEqual(["/classify/digits", "/classify/digits", "/reload"]);
});

test("a request waits for a server, and one that refuses connections is asked no more", async () => {
  relay = createRelay(options);
  const gone = createServer(echo);
  await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
  relay.add((gone.address() as AddressInfo).port);
  await new Promise((resolve) => gone.close(resolve));
  const answer = fetch(`${await relay.listen()}/v2`);
  relay.add(await portOf(echo));
  expect(await (await answer).text()).toBe("GET /v2 ");
});

test("limits and the token hold in front of the servers", async () => {
  relay = createRelay({ ...options, token: "secret", timeoutMs: 200 });
  const url = await relay.listen();
  const asked = async (path: string, body: string, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(url + path, { method: "POST", body, headers })).status;
  const token = { Authorization: "Bearer secret" };
  expect(await asked("/classify/digits", "pixels")).toBe(401);
  expect(await asked("/classify/digits", "x".repeat(1001), token)).toBe(413);
  // No server is there.
  expect(await asked("/classify/digits", "pixels", token)).toBe(504);
});

test("headers of one connection stay there, and HEAD has the length of GET's answer", async () => {
  relay = createRelay(options);
  let got: IncomingHttpHeaders = {};
  relay.add(
    await portOf((incoming, outgoing) => {
      got = incoming.headers;
      incoming.resume();
      outgoing.writeHead(200, { "Content-Length": 5 }).end("hello");
    }),
  );
  const url = await relay.listen();
  const headers = { Connection: "keep-alive, X-Hop", "X-Hop": "1", "X-End": "2", TE: "trailers" };
  const length = await new Promise((resolve, reject) => {
    request(url, { method: "HEAD", headers, agent: false }, (incoming) => {
      incoming.resume().once("end", () => resolve(incoming.headers["content-length"]));
    })
      .once("error", reject)
      .end();
  });
  expect(length).toBe("5");
  expect([got["x-hop"], got["x-end"], got.te]).toEqual([undefined, "2", undefined]);
});
