import { createServer, type IncomingHttpHeaders, request, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createRelay, type Relay } from "../src/processes/relay.ts";
import { createWaiters } from "../src/processes/waiters.ts";

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

/** Posts to this path as it is written. */
function asked(url: string, path: string): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method: "POST", agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("end", () =>
        resolve({ status: incoming.statusCode!, headers: incoming.headers, body: Buffer.concat(chunks).toString() }),
      );
    })
      .once("error", reject)
      .end("pixels");
  });
}

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
  const reloads = ["/reload", "/reload/", "/%72eload?now", `${url}/reload`];
  for (const path of ["/classify/digits", ...reloads]) {
    const answer = await asked(url, path);
    expect([answer.status, answer.headers["retry-after"]], path).toEqual([503, "1"]);
    expect(JSON.parse(answer.body)).toEqual({ error: expect.stringContaining("ended: try again later") });
  }
  expect(seen).toEqual(["/classify/digits", "/classify/digits", ...reloads]);
});

test("a connection that was lost while it was idle is no try, and a reload is asked on a connection of its own", async () => {
  relay = createRelay(options);
  const connections: Socket[] = [];
  relay.add(
    await portOf((incoming, outgoing) => {
      connections.push(incoming.socket);
      // The second on the connection of the first, and then one that ends the server.
      if (connections.length === 2 || connections.length === 3) incoming.socket.destroy();
      else echo(incoming, outgoing);
    }),
  );
  const url = await relay.listen();
  expect((await asked(url, "/first")).status).toBe(201);
  expect(await asked(url, "/second")).toMatchObject({ status: 201, body: "POST /second pixels" });
  expect((await asked(url, "/reload")).status).toBe(201);
  const [first, second, third, fourth, reload] = connections;
  expect(second).toBe(first);
  expect(new Set([first, third, fourth, reload]).size).toBe(4);
});

test("a relay that closes answers 503 where no server is left", async () => {
  relay = createRelay({ ...options, drainMs: 200 });
  const url = await relay.listen();
  let leave: () => void = () => {};
  const ended: RequestListener = (incoming) => {
    leave();
    incoming.socket.destroy();
  };
  leave = relay.add(await portOf(ended));
  // Its only server ends, and no other comes.
  const waiting = asked(url, "/classify/digits");
  await new Promise((resolve) => setTimeout(resolve, 50));
  const closed = relay.close();
  const answers = await Promise.all([waiting, asked(url, "/v2")]);
  expect(answers.map(({ status, headers }) => [status, headers["retry-after"]])).toEqual([
    [503, "1"],
    [503, "1"],
  ]);
  await closed;
});

test("what waits ends with its signal, and with the next wake", async () => {
  const waiters = createWaiters();
  const late = new AbortController();
  const waits = [waiters.wait(late.signal), waiters.wait(new AbortController().signal)];
  expect(waiters.size).toBe(2);
  late.abort(new Error("too late"));
  await expect(waits[0]).rejects.toThrow("too late");
  await expect(waiters.wait(late.signal)).rejects.toThrow("too late");
  expect(waiters.size).toBe(1);
  waiters.wake();
  await waits[1];
  expect(waiters.size).toBe(0);
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
  const status = async (path: string, body: string, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(url + path, { method: "POST", body, headers })).status;
  const token = { Authorization: "Bearer secret" };
  expect(await status("/classify/digits", "pixels")).toBe(401);
  expect(await status("/classify/digits", "x".repeat(1001), token)).toBe(413);
  // No server is there.
  expect(await status("/classify/digits", "pixels", token)).toBe(504);
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
