import type { ChildProcess } from "node:child_process";
import { expect, test } from "vitest";
import { call, spawned } from "./run-cli.ts";

const zeros = JSON.stringify({ instances: [Array.from({ length: 28 }, () => Array.from({ length: 28 }, () => [0]))] });

/** What a process of several says once it is ready, with its id. */
const firstReady = /"process":(\d+),"level":"info","event":"ready"/;
const allReady = new RegExp(firstReady, "g");

test("serve answers until SIGTERM, and then every request that it accepted", async () => {
  const statuses: number[] = [];
  let clients: Promise<unknown> | undefined;
  const over = new AbortController();
  const said = await spawned(
    [
      "serve",
      "digits=lenet5",
      "--seed",
      "1",
      "--engine",
      "wasm",
      "--runtime",
      "wasm",
      "--port",
      "0",
      "--json",
      "--drain",
      "200",
    ],
    {
      meanwhile(child, err) {
        const [, url] = /"event":"ready","url":"([^"]+)"/.exec(err) ?? [];
        if (url === undefined || clients !== undefined) return;
        const client = async (): Promise<void> => {
          while (!over.signal.aborted) {
            const response = await fetch(`${url}/v1/models/digits:predict`, { method: "POST", body: zeros }).catch(
              () => undefined,
            );
            // Nobody listens any more.
            if (response === undefined) return;
            statuses.push(response.status);
            await response.text();
            if (statuses.length === 30) child.kill("SIGTERM");
          }
        };
        clients = Promise.all([client(), client(), client(), client()]);
      },
    },
  );
  over.abort();
  await clients;
  expect(said.status, said.err).toBe(143);
  const ready = JSON.parse(said.out) as { url: string; models: object[] };
  expect(ready.models).toEqual([{ name: "digits", version: 1, runtime: "wasm", precision: "float32" }]);
  const log = said.err
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const answered = log.filter(({ event, path }) => event === "request" && path === "/v1/models/digits:predict");
  expect(answered.length).toBeGreaterThanOrEqual(30);
  expect(statuses).toEqual(answered.map(() => 200));
  expect(answered.map(({ status }) => status)).toEqual(statuses);
  expect(log.at(-1)).toMatchObject({ level: "info", event: "closed" });
});

test.each([
  ["several processes: one that is killed is replaced, a reload and SIGTERM lose nothing", []],
  ["several processes that resend: one that is killed loses nothing, nor SIGTERM to all", ["--resend"]],
])("%s", async (_, more) => {
  const resends = more.length > 0;
  const statuses: number[] = [];
  const failures: string[] = [];
  const over = new AbortController();
  let metrics = "";
  let clients: Promise<unknown> | undefined;
  let log = "";
  let isBegun = false;
  const args = ["--seed", "1", "--engine", "wasm", "--runtime", "wasm", "--port", "0", "--json", "--drain", "200"];
  const said = await spawned(["serve", "digits=lenet5", "--processes", "2", ...more, ...args], {
    // Standard output and standard error come in any order: the story begins once both were read.
    meanwhile(child, err, out) {
      log = err;
      if (isBegun || !out.endsWith("\n") || !firstReady.test(err)) return;
      isBegun = true;
      begin(child, (JSON.parse(out) as { url: string }).url);
    },
  });

  function begin(child: ChildProcess, url: string): void {
    let isLast = false;
    const client = async (): Promise<void> => {
      while (!over.signal.aborted) {
        try {
          const response = await fetch(`${url}/v1/models/digits:predict`, { method: "POST", body: zeros });
          statuses.push(response.status);
          await response.text();
        } catch (error) {
          if (isLast) return;
          failures.push(String((error as Error).cause ?? error));
        }
      }
    };
    const count = async (more: number): Promise<void> => {
      const until = statuses.length + more;
      while (statuses.length < until && !over.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const said = async (text: string, times: number): Promise<void> => {
      while (log.split(text).length <= times && !over.signal.aborted)
        await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const [, pid] = firstReady.exec(log)!;
    const story = async (): Promise<void> => {
      await count(20);
      process.kill(Number(pid), "SIGKILL");
      await said('"event":"process replaced"', 1);
      await count(20);
      child.kill("SIGHUP");
      await said('"event":"reloaded"', 5); // Three at their starts, two now.
      await count(20);
      if (over.signal.aborted) return; // The command ended: its status and log tell why.
      metrics = await (await fetch(`${url}/metrics`)).text();
      if (resends) {
        // A signal to the group of processes comes to these, too, and may come to them first.
        for (const [, id] of log.matchAll(allReady)) if (id !== pid) process.kill(Number(id), "SIGTERM");
        await new Promise((resolve) => setTimeout(resolve, 500)); // Longer than they would drain.
        await count(20);
      }
      isLast = true;
      child.kill("SIGTERM");
    };
    clients = Promise.all([story(), client(), client(), client(), client()]);
  }

  over.abort();
  await clients;
  expect(said.status, said.err).toBe(143);
  expect((JSON.parse(said.out) as { models: object[] }).models).toHaveLength(1);
  expect(new Set(statuses)).toEqual(new Set([200]));
  // Only what the killed process had accepted: no client has more than one request.
  expect(failures.length).toBeLessThanOrEqual(resends ? 0 : 4);
  expect(
    failures.every((text) => /ECONNRESET|other side closed/.test(text)),
    failures.join(),
  ).toBe(true);
  expect(metrics).toContain("convkit_processes 2");
  expect(said.err.split('"event":"process ended"')).toHaveLength(2);
});

test("a hang-up while the command is loaded does not end the server, and SIGTERM then has its status", async () => {
  // Both signals come as soon as the program listens for SIGTERM: long before the server listens for hang-ups.
  const early = `
    const on = process.on.bind(process);
    process.on = (name, listener) => {
      on(name, listener);
      if (name === "SIGTERM") setImmediate(() => ["SIGHUP", "SIGTERM"].forEach((each) => process.kill(process.pid, each)));
      return process;
    };`;
  const said = await spawned(["serve", "digits=lenet5", "--seed", "1", "--engine", "wasm", "--port", "0"], {
    isWhole: true,
    env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(early)}` },
  });
  expect([said.status, said.signal, said.out], said.err).toEqual([143, null, ""]);
});

test.each([
  [["serve"], 2, /missing required argument 'models'/],
  [["serve", "lenet5"], 1, /The model lenet5, version 1, cannot be served: lenet5 has random weights/],
  [["serve", "lenet5", "x=lenet5", "--classes", "3"], 2, /are for one model: serve it alone/],
  [["serve", "lenet5", "--label", "lenet5=3"], 2, /expected a model, a label and a version, as in digits\/stable=3/],
  [["serve", "lenet5", "--label", "other/stable=3"], 1, /expected labels of the models lenet5, got "other"/],
  [["serve", "x=lenet5", "x=alexnet"], 2, /Two models have the name x: give one another name, as in other=alexnet/],
  [["serve", "missing.keras", "--port", "0"], 1, /cannot be served: Unknown model/],
] as const)("convkit %j", async (args, status, message) => {
  const said = await call(...args, "--engine", "wasm", "--quiet");
  expect(said.status, said.err).toBe(status);
  expect(said.err).toMatch(message);
});
