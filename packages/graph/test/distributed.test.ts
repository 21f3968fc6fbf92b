import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { engines } from "@convkit/testing";
import { bundledProgram, freeAddresses } from "@convkit/testing/bundled";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { membersOf } from "../src/distributed/cluster.ts";
import { GraphError } from "../src/graph-error.ts";

interface Told {
  readonly name?: string;
  readonly got?: readonly (readonly number[])[];
  readonly total?: readonly number[];
  readonly error?: string;
  readonly peers?: readonly string[];
  readonly status?: number;
}

const patience = 300_000;

/** Whether a server at a host of this machine takes a connection. A packet that is dropped has no answer. */
function takes(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1500 });
    const end = (isTaken: boolean) => {
      socket.destroy();
      resolve(isTaken);
    };
    socket
      .on("connect", () => end(true))
      .on("error", () => end(false))
      .on("timeout", () => end(false));
  });
}

/** The addresses of this machine in IPv4 that others reach; none if it is in no network. */
const outside = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .flatMap(({ internal, family, address }) => (!internal && family === "IPv4" ? [address] : []));

const addresses = { worker: ["10.0.0.1:2222", "10.0.0.2:2222"] };
const first = { type: "worker", index: 0 };

// As a program reads them from TF_CONFIG, which anybody may have written.
test.each([
  [undefined, first, /got no cluster\.$/],
  [addresses, undefined, /got no task\.$/],
  [null, first, /distribute: cluster/],
  [addresses, { type: "worker", index: 2 }, /the task to be one of worker 0, worker 1, got "worker" 2\.$/],
  [{ worker: "10.0.0.1:2222" }, first, /cluster\.worker to be a list of addresses/],
  [{ worker: ["10.0.0.1:65536"] }, first, /host:port in cluster\.worker, got "10\.0\.0\.1:65536"\.$/],
])("the cluster %j and the task %j are refused in a sentence", (cluster, task, message) => {
  const refused = expect(() => membersOf(cluster as never, task as never));
  refused.toThrow(GraphError);
  refused.toThrow(message);
});

describe.runIf(engines.includes("native"))("workers on TensorFlow's distributed runtime", () => {
  let program: Awaited<ReturnType<typeof bundledProgram>>;
  beforeAll(async () => {
    program = await bundledProgram(new URL("distributed/worker-program.ts", import.meta.url));
  }, patience);
  afterAll(() => program.remove());

  const start = (...args: readonly unknown[]) => {
    const child = spawn(process.execPath, [program.file, JSON.stringify(args)], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
    const ended = new Promise<Told[]>((resolve) =>
      child.on("close", () =>
        resolve(
          text
            .split("\n")
            .filter(Boolean)
            .map((line) => JSON.parse(line) as Told),
        ),
      ),
    );
    return { child, ended };
  };

  test(
    "allReduce gives each the sums over all, in float32 and as bfloat16, and a worker that dies is named",
    { timeout: patience },
    async () => {
      const addresses = await freeAddresses(3);
      const told = await Promise.all(addresses.map((_, rank) => start(rank, addresses, "float32", "SIGKILL").ended));
      const third = Math.fround(1 / 3);
      for (const [rank, lines] of told.entries()) {
        const name = ["chief", "worker 0", "worker 1"][rank];
        expect(lines.slice(0, 2)).toEqual([
          {
            name,
            got: [
              [6, 0],
              [111, 111],
              [222, 222],
              [333, 333],
            ],
          },
          {
            name,
            got: [
              [6, Math.fround(Math.fround(third + third) + third)],
              [111, 111],
              [222, 222],
              [333, 333],
            ],
          },
        ]);
      }
      for (const lines of told.slice(0, 2)) {
        expect(lines.slice(2)).toEqual([
          { error: expect.stringContaining(`worker 1 (${addresses[2]}) does not answer`), peers: ["worker 1"] },
        ]);
      }
      expect(told[2]).toHaveLength(2);
    },
  );

  test(
    "a stopped worker is named within the time-out; bfloat16 rounds what is sent",
    { timeout: patience },
    async () => {
      const addresses = await freeAddresses(2);
      const [chief, stopped] = addresses.map((_, rank) => start(rank, addresses, "bfloat16", "SIGSTOP"));
      const lines = await chief!.ended;
      stopped!.child.kill("SIGKILL");
      // 1/3 has 8 significant bits in bfloat16: 0.333984375.
      expect(lines[1]).toEqual({
        name: "chief",
        got: [
          [3, 0.66796875],
          [11, 11],
          [22, 22],
          [33, 33],
        ],
      });
      expect(lines.slice(2)).toEqual([{ error: expect.stringContaining("worker 0"), peers: ["worker 0"] }]);
      expect(await stopped!.ended).toHaveLength(2);
    },
  );

  test(
    "a worker that leaves while it waits for a stopped one runs its listeners first",
    { timeout: patience },
    async () => {
      const addresses = await freeAddresses(2);
      const [leaving, stopped] = addresses.map((_, rank) => start(rank, addresses, "float32", "SIGSTOP", rank === 0));
      const lines = await leaving!.ended;
      stopped!.child.kill("SIGKILL");
      expect([lines.slice(2), leaving!.child.exitCode]).toEqual([[{ status: 3 }], 3]);
    },
  );

  test
    .runIf(process.platform === "linux")
    .each([
      { host: "127.0.0.1", open: ["127.0.0.1"], closed: ["127.0.0.2", "::1", ...outside] },
      { host: "[::1]", open: ["::1"], closed: ["127.0.0.1", ...outside] },
      { host: "localhost", open: ["127.0.0.1", "127.0.0.2", "::1"], closed: outside },
      ...outside.map((own) => ({ host: own, open: [own], closed: ["127.0.0.1", "::1"] })),
    ])("a server at $host takes connections to $open alone", { timeout: patience }, async ({ host, open, closed }) => {
    const [own, other] = await freeAddresses(2);
    const port = Number(own!.split(":")[1]);
    const { child, ended } = start(0, [`${host}:${port}`, other], "float32", undefined, false, 120);
    try {
      const both = () => Promise.all([...open, ...closed].map((each) => takes(each, port)));
      const expected = [...open.map(() => true), ...closed.map(() => false)];
      await expect.poll(both, { timeout: patience }).toEqual(expected);
    } finally {
      child.kill("SIGKILL");
      await ended;
    }
  });

  test.runIf(process.platform === "linux" && outside.length > 0)(
    "workers at an address of a network train together",
    { timeout: patience },
    async () => {
      const addresses = (await freeAddresses(2)).map((address) => address.replace("127.0.0.1", outside[0]!));
      const told = await Promise.all(addresses.map((_, rank) => start(rank, addresses, "float32").ended));
      expect(told.map((lines) => lines.at(-1))).toEqual([{ total: [9, 2] }, { total: [9, 2] }]);
    },
  );

  test("a port in use, and a worker that never starts, are refused in a sentence", { timeout: patience }, async () => {
    const taken = createServer().listen(0, "0.0.0.0");
    await new Promise((resolve) => taken.once("listening", resolve));
    const [own, other] = await freeAddresses(2);
    const used = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const [inUse, alone] = await Promise.all([
      start(0, [used, other], "float32").ended,
      start(0, [own, other], "float32").ended,
    ]);
    taken.close();
    expect(inUse).toEqual([{ error: expect.stringMatching(/cannot listen on port \d+ for chief/) }]);
    expect(alone).toEqual([
      {
        error: `chief: worker 0 (${other}) did not answer within 3 seconds: start all workers, with the same cluster.`,
        peers: ["worker 0"],
      },
    ]);
  });
});
